//! Rule: one name, one type.

use std::collections::BTreeMap;

use super::known::Known;
use super::rust_file::RustFile;
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "one-name",
    demands: "a struct, enum, trait or type alias of crates/*/src has a name that no other one of its \
              crate has",
    check,
    known: Known::Subjects(&[
        "mt-beehive ChildId",
        "mt-beehive Children",
        "mt-beehive Effect",
        "mt-beehive Event",
        "mt-beehive State",
        "mt-ipc Shared",
        "mt-macros Params",
        "mt-pool CpuMeter",
        "mt-pool Current",
        "mt-pool Done",
        "mt-pool Inner",
        "mt-pool Kind",
        "mt-pool Life",
        "mt-pool Load",
        "mt-pool Mode",
        "mt-pool Next",
        "mt-pool Pace",
        "mt-pool Place",
        "mt-pool Runner",
        "mt-pool State",
        "mt-pool Values",
    ]),
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut types: BTreeMap<String, Vec<Violation>> = BTreeMap::new();
    for file in tree.sources() {
        for (name, line) in types_of(file) {
            let subject = format!("{} {name}", file.package());
            let message = format!("`{name}` is several types of this crate: rename all but one");
            let place = Violation::new(&file.path, line, message).about(&*subject);
            types.entry(subject).or_default().push(place);
        }
    }
    let doubled = types.into_values().filter(|places| places.len() > 1);
    doubled.flatten().collect()
}

/// The names and lines of the types that a file defines, associated ones left out.
fn types_of(file: &RustFile) -> Vec<(&str, usize)> {
    let owners = bodies(file);
    let is_associated = |at: usize| {
        owners
            .iter()
            .any(|(open, close)| (*open..*close).contains(&at))
    };
    let is_type = |at: usize| match file.tokens[at].text.as_str() {
        "struct" | "enum" | "trait" => true,
        "type" => !is_associated(at),
        _ => false,
    };
    (1..file.tokens.len())
        .filter(|&at| file.tokens[at].is_ident && !file.tokens[at].in_test && is_type(at - 1))
        .map(|at| (&*file.tokens[at].text, file.tokens[at].line))
        .collect()
}

/// The braces of every `impl` and `trait`.
fn bodies(file: &RustFile) -> Vec<(usize, usize)> {
    let tokens = &file.tokens;
    let owners = (0..tokens.len()).filter(|&at| matches!(&*tokens[at].text, "impl" | "trait"));
    owners
        .filter_map(|at| {
            let end = tokens[at..]
                .iter()
                .position(|t| matches!(&*t.text, "{" | ";"))?;
            file.tokens_are(at + end, &["{"])
                .then(|| (at + end, file.closing(at + end)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    #[test]
    fn a_name_twice_in_a_crate_is_found() {
        let (a, b) = ("crates/mt-a/src/a.rs", "crates/mt-a/src/b.rs");
        for code in [
            "pub struct State;",
            "fn f() { enum State {} }",
            "pub(crate) trait State {}",
            "type State = u8;",
            "impl A { fn g() {} } type State = u8;",
        ] {
            let both = ["crates/mt-a/src/a.rs:1", "crates/mt-a/src/b.rs:1"];
            check(&RULE, &[(a, code), (b, "struct State(u8);")], &both);
            check(
                &RULE,
                &[(a, code), ("crates/mt-b/src/b.rs", "struct State;")],
                &[],
            );
            check(
                &RULE,
                &[(a, code), ("crates/mt-a/tests/b.rs", "struct State;")],
                &[],
            );
        }
        for code in [
            "impl Iterator for A { type State = u8; }",
            "trait A { type State; }",
            "#[cfg(test)] mod tests { struct State; }",
            "// struct State;",
            "use c::State; struct Other { State: State }",
        ] {
            check(&RULE, &[(a, code), (b, "struct State;")], &[]);
        }
    }
}

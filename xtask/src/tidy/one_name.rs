//! Rule: one name, one type.

use std::collections::BTreeMap;

use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "one-name",
    demands: "a struct, enum, trait or type alias of crates/*/src has a name that no other one of its \
              crate has; what stands for the same on each system, in files below `platform/`, has one",
    check,
};

fn check(tree: &Tree, found: &mut Findings) {
    let mut types: BTreeMap<String, Vec<(&RustFile, usize)>> = BTreeMap::new();
    for file in tree.sources().filter(|file| !is_of_a_system(file)) {
        for at in types_of(file) {
            let subject = format!("{} {}", file.package(), file.tokens[at].text);
            let places = types.entry(subject).or_default();
            places.push((file, file.tokens[at].line));
        }
    }
    for (subject, places) in types.iter().filter(|(_, places)| places.len() > 1) {
        for (file, line) in places {
            let message = format!("`{subject}` is several types: rename all but one");
            found.add(&file.path, *line, message);
        }
    }
}

/// Whether a file is for one system, and has another one beside it with the same names.
fn is_of_a_system(file: &RustFile) -> bool {
    file.path.contains("/platform/")
}

/// Where the names of the types are that a file defines, associated ones left out.
fn types_of(file: &RustFile) -> impl Iterator<Item = usize> {
    let keywords = ["impl", "trait"].into_iter();
    let owners = keywords.flat_map(|keyword| file.find([keyword]));
    let bodies = owners.filter_map(|at| {
        let mut rest = file.tokens[at..].iter();
        let end = at + rest.position(|t| matches!(&*t.text, "{" | ";"))?;
        let has_body = file.tokens_are(end, &["{"]);
        has_body.then(|| at..file.closing(end))
    });
    let bodies: Vec<_> = bodies.collect();
    let is_type = move |at: usize| match &*file.tokens[at].text {
        "struct" | "enum" | "trait" => true,
        "type" => !bodies.iter().any(|body| body.contains(&at)),
        _ => false,
    };
    let names = (1..file.tokens.len()).filter(|&at| file.is_ident(at) && !file.tokens[at].in_test);
    names.filter(move |at| is_type(at - 1))
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn a_name_twice_in_a_crate_is_found() {
        let a = "crates/mt-a/src/a.rs";
        for code in [
            "pub struct State;",
            "fn f() { enum State {} }",
            "pub(crate) trait State {}",
            "type State = u8;",
            "impl A { fn g() {} } type State = u8;",
        ] {
            let twice = ("crates/mt-a/src/b.rs", "struct State(u8); ~~");
            RULE.check(&[(a, &format!("{code} ~~")), twice]);
            for elsewhere in ["crates/mt-b/src/b.rs", "crates/mt-a/tests/b.rs"] {
                RULE.check(&[(a, code), (elsewhere, "struct State;")]);
            }
        }
        let twins = ["unix", "windows"].map(|of| format!("crates/mt-a/src/platform/{of}.rs"));
        RULE.check(&twins.each_ref().map(|path| (&**path, "struct State;")));
        for code in [
            "impl Iterator for A { type State = u8; }",
            "trait A { type State; }",
            "#[cfg(test)] mod tests { struct State; }",
            "// struct State;",
            "use c::State; struct Other { State: State }",
        ] {
            RULE.check(&[(a, code), ("crates/mt-a/src/b.rs", "struct State;")]);
        }
    }
}

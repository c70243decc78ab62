//! Rule: what supervises worker processes knows nothing of what they work on.
//!
//! `supervision` and `worker` of mt-pool are for any kind of worker; pools and hives stand on them,
//! by what they publish.

use super::imports::imports;
use super::known::Known;
use super::rust_file::RustFile;
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "floors",
    demands: "supervision/ and worker/ of mt-pool name no module of the pool's own (dispatch, input, pmap, \
              works, executor, driver), no item and no bee; in mt-beehive only lib.rs's `mod __private` \
              names `__private`",
    check,
    known: Known::Subjects(&[
        "crates/mt-beehive/src/driver/driver.rs",
        "crates/mt-beehive/src/driver/pump.rs",
        "crates/mt-beehive/src/driver/thread.rs",
        "crates/mt-beehive/src/driver/watch.rs",
        "crates/mt-beehive/src/executor.rs",
        "crates/mt-beehive/src/executor/run_bee.rs",
        "crates/mt-beehive/src/executor/talk.rs",
        "crates/mt-beehive/src/machine/parent.rs",
        "crates/mt-beehive/src/queen/run.rs",
        "crates/mt-beehive/src/registry.rs",
        "crates/mt-pool/src/worker/entry.rs",
        "crates/mt-pool/src/worker/link.rs",
        "crates/mt-pool/src/worker/trace/collect.rs",
    ]),
};

/// Where workers are supervised and run, whatever they do.
const GROUND: &[&str] = &[
    "crates/mt-pool/src/supervision",
    "crates/mt-pool/src/worker",
];

/// The modules of mt-pool that stand on it.
const ABOVE: &[&str] = &["dispatch", "input", "pmap", "works", "executor", "driver"];

/// What names with these words in them speak of.
const STRANGERS: &[&str] = &["Item", "Bee"];

/// Names that have one of these words in them and are fine.
const FINE: &[&str] = &[];

fn check(tree: &Tree) -> Vec<Violation> {
    let upward = imports(tree).into_iter().filter(|import| {
        is_below(import.from, GROUND.iter().copied())
            && ABOVE
                .iter()
                .any(|name| is_below(import.to, [&*format!("crates/mt-pool/src/{name}")]))
    });
    let upward = upward.map(|import| {
        let message = format!(
            "`{}` is above this: take it as a parameter or an event",
            import.path
        );
        Violation::new(&import.from.path, import.line, message).about(&*import.from.path)
    });
    let strangers = tree
        .sources()
        .filter(|file| is_below(file, GROUND.iter().copied()))
        .flat_map(strangers);
    let hive = tree.sources().filter(|file| file.package() == "mt-beehive");
    upward
        .chain(strangers)
        .chain(hive.flat_map(private))
        .collect()
}

/// Whether the file is one of these modules or below one.
fn is_below<'a>(file: &RustFile, modules: impl IntoIterator<Item = &'a str>) -> bool {
    modules.into_iter().any(|module| {
        let rest = file.path.strip_prefix(module);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    })
}

/// The names that speak of items or bees; an iterator's `Item` does not.
fn strangers(file: &RustFile) -> Vec<Violation> {
    let is_iterators = |at: usize| {
        file.tokens_are(at, &["Item", "="]) || (at > 0 && file.tokens_are(at - 1, &["::", "Item"]))
    };
    let is_stranger = |at: &usize| {
        let token = &file.tokens[*at];
        let name = token.text.as_str();
        let speaks = STRANGERS.iter().any(|word| name.contains(word)) && !FINE.contains(&name);
        token.is_ident && !token.in_test && speaks && !is_iterators(*at)
    };
    let message = "name what it is for any kind of worker";
    let found = (0..file.tokens.len()).filter(is_stranger);
    found
        .map(|at| Violation::new(&file.path, file.tokens[at].line, message).about(&*file.path))
        .collect()
}

/// Where a file of mt-beehive names `__private` and is not the one to do so.
fn private(file: &RustFile) -> Vec<Violation> {
    let tokens = &file.tokens;
    let own = (0..tokens.len())
        .find(|&at| file.tokens_are(at, &["mod", "__private", "{"]))
        .filter(|_| file.path.ends_with("/src/lib.rs"))
        .map_or(0..0, |at| at..file.closing(at + 2));
    let message =
        "what mt-beehive needs of mt-pool is public there: `__private` is for what macros write";
    let found = (0..tokens.len()).filter(|at| tokens[*at].text == "__private" && !own.contains(at));
    found
        .filter(|at| !tokens[*at].in_test)
        .map(|at| Violation::new(&file.path, tokens[at].line, message).about(&*file.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    #[test]
    fn the_ground_names_nothing_above_it() {
        let above = [
            ("crates/mt-pool/src/dispatch.rs", ""),
            ("crates/mt-pool/src/input/feeder.rs", ""),
        ];
        let ground = [
            "crates/mt-pool/src/worker/link.rs",
            "crates/mt-pool/src/supervision.rs",
        ];
        for code in [
            "use crate::dispatch::Event;",
            "fn f(a: crate::input::feeder::Feeder) {}",
            "struct ItemCount;",
            "fn f(a: u8) -> BeeId {}",
            "fn f(a: Item) {}",
        ] {
            for path in ground {
                let path = (path, code);
                check(
                    &RULE,
                    &[
                        above[0],
                        above[1],
                        ("crates/mt-pool/src/input.rs", ""),
                        path,
                    ],
                    &[&format!("{}:1", path.0)],
                );
            }
            check(
                &RULE,
                &[above[0], above[1], ("crates/mt-pool/src/workers.rs", code)],
                &[],
            );
        }
        for code in [
            "use crate::error::PoolError;",
            "impl Iterator for A { type Item = u8; } fn f(a: impl Iterator<Item = u8>, b: Self::Item) {}",
            "#[cfg(test)] mod tests { use crate::dispatch::Event; struct Item; }",
            "// an Item",
        ] {
            check(&RULE, &[above[0], (ground[0], code)], &[]);
        }
    }

    #[test]
    fn what_is_private_is_named_in_one_place() {
        let (lib, other) = (
            "crates/mt-beehive/src/lib.rs",
            "crates/mt-beehive/src/queen.rs",
        );
        let code = "use a;\npub mod __private {\npub use mt_pool::__private::Role;\n}\n";
        check(&RULE, &[(lib, code)], &[]);
        check(
            &RULE,
            &[(lib, &format!("{code}use mt_pool::__private::Role;"))],
            &["crates/mt-beehive/src/lib.rs:5"],
        );
        let code = "use mt_pool::{A, __private::Role};";
        check(
            &RULE,
            &[(other, code)],
            &["crates/mt-beehive/src/queen.rs:1"],
        );
        check(&RULE, &[("crates/mt-beehive/tests/a.rs", code)], &[]);
    }
}

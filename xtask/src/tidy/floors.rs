//! Rule: what supervises worker processes knows nothing of what they work on.
//!
//! `supervision` and `worker` of mt-pool are for any kind of worker; pools and hives stand on them,
//! by what they publish.

use super::imports::{imports, is_below};
use super::{Known, Rule, RustFile, Tree, Violation};

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
    let on_ground = |file: &RustFile| GROUND.iter().any(|ground| is_below(file.module(), ground));
    let is_above = |file: &RustFile| {
        let below = file.module().strip_prefix("crates/mt-pool/src/");
        below.is_some_and(|module| ABOVE.iter().any(|above| is_below(module, above)))
    };
    let mut found = Vec::new();
    for import in imports(tree) {
        if on_ground(import.from) && is_above(import.to) {
            let message = format!(
                "`{}` is above this: take it as a parameter or an event",
                import.path
            );
            found.push(Violation::new(&import.from.path, import.line, message));
        }
    }
    for file in tree.sources() {
        if on_ground(file) {
            found
                .extend(file.violations(strangers(file), "name what it is for any kind of worker"));
        }
        if file.package() == "mt-beehive" {
            let message = "what mt-beehive needs of mt-pool is public there: `__private` is for what macros write";
            found.extend(file.violations(private(file), message));
        }
    }
    let by_file = |one: Violation| {
        let path = one.path.clone();
        one.about(path)
    };
    found.into_iter().map(by_file).collect()
}

/// The lines of names that speak of items or bees; an iterator's `Item` does not.
fn strangers(file: &RustFile) -> impl Iterator<Item = usize> {
    let is_iterators = |at: usize| {
        file.tokens_are(at, &["Item", "="]) || (at > 0 && file.tokens_are(at - 1, &["::", "Item"]))
    };
    let tokens = file.tokens.iter().enumerate();
    let names = tokens.filter(|(_, token)| token.is_ident && !token.in_test);
    let strange = names.filter(move |(at, token)| {
        let speaks = STRANGERS.iter().any(|word| token.text.contains(word));
        speaks && !FINE.contains(&&*token.text) && !is_iterators(*at)
    });
    strange.map(|(_, token)| token.line)
}

/// Where a file of mt-beehive names `__private` and is not the one to do so.
fn private(file: &RustFile) -> impl Iterator<Item = usize> {
    let is_root = file.path.ends_with("/src/lib.rs");
    let own = file.find(["mod", "__private", "{"]).find(|_| is_root);
    let own = own.map_or(0..0, |at| at..file.closing(at + 2));
    let named = file.find(["__private"]).filter(move |at| !own.contains(at));
    named
        .map(|at| &file.tokens[at])
        .filter(|token| !token.in_test)
        .map(|token| token.line)
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

//! Rule: what supervises worker processes knows nothing of what they work on.
//!
//! `supervision` and `worker` of mt-pool are for any kind of worker; pools and hives stand on them,
//! by what they publish.

use super::imports::{Import, imports, is_below};
use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "floors",
    demands: "supervision/ and worker/ of mt-pool name no module of the pool's own (dispatch, input, pmap, \
              works, executor, driver), no item and no bee; in mt-beehive only lib.rs's `mod __private` \
              names `__private`",
    check,
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

fn check(tree: &Tree, found: &mut Findings) {
    let is_ground = |file: &RustFile| GROUND.iter().any(|ground| is_below(file.module(), ground));
    let is_above = |file: &RustFile| {
        let below = file.module().strip_prefix("crates/mt-pool/src/");
        below.is_some_and(|module| ABOVE.iter().any(|above| is_below(module, above)))
    };
    for Import { from, to, at } in imports(tree) {
        if is_ground(from) && is_above(to) {
            let message = "this is above here: take it as a parameter or an event";
            found.add_tokens(from, [at], message);
        }
    }
    for file in tree.sources() {
        if is_ground(file) {
            let message = "name what it is for any kind of worker";
            found.add_tokens(file, strangers(file), message);
        }
        if file.package() == "mt-beehive" {
            found.add_tokens(
                file,
                private(file),
                "what mt-beehive needs of mt-pool is public there: `__private` is for what macros write",
            );
        }
    }
}

/// Names that speak of items or bees; an iterator's `Item` does not.
fn strangers(file: &RustFile) -> impl Iterator<Item = usize> {
    let is_iterators = |at| file.tokens_are(at, &["Item", "="]) || file.follows(at, &["::"]);
    (0..file.tokens.len()).filter(move |&at| {
        let name = file.tokens[at].text.as_str();
        let speaks = STRANGERS.iter().any(|word| name.contains(word));
        let is_fine = file.tokens[at].in_test || (name == "Item" && is_iterators(at));
        speaks && file.is_ident(at) && !is_fine
    })
}

/// Where a file of mt-beehive names `__private` and is not the one to do so.
fn private(file: &RustFile) -> impl Iterator<Item = usize> {
    let is_root = file.path.ends_with("/src/lib.rs");
    let own = file.find(["mod", "__private", "{"]).find(|_| is_root);
    let own = own.map_or(0..0, |at| at..file.closing(at + 2));
    let named = file.find(["__private"]).filter(move |at| !own.contains(at));
    named.filter(|&at| !file.tokens[at].in_test)
}

#[cfg(test)]
mod tests {
    use super::RULE;

    /// Case D3: Nothing that supervises workers, or is one, names a floor above it.
    #[test]
    fn the_ground_names_nothing_above_it() {
        let dispatch = ("crates/mt-pool/src/dispatch.rs", "");
        let input = ("crates/mt-pool/src/input.rs", "");
        let feeder = ("crates/mt-pool/src/input/feeder.rs", "");
        for code in [
            "use crate::dispatch::Event; ~~",
            "fn f(a: crate::input::feeder::Feeder) {} ~~",
            "struct ItemCount; ~~",
            "fn f(a: u8) -> BeeId {} ~~",
            "fn f(a: Item) {} ~~",
            "use crate::error::PoolError;",
            "impl Iterator for A { type Item = u8; } fn f(a: impl Iterator<Item = u8>, b: Self::Item) {}",
            "#[cfg(test)] mod tests { use crate::dispatch::Event; struct Item; }",
            "// an Item",
        ] {
            for ground in ["worker/link.rs", "supervision.rs"] {
                let path = format!("crates/mt-pool/src/{ground}");
                RULE.check(&[dispatch, input, feeder, (&path, code)]);
            }
            let other = ("crates/mt-pool/src/workers.rs", code.trim_end_matches('~'));
            RULE.check(&[dispatch, feeder, other]);
        }
    }

    #[test]
    fn what_is_private_is_named_in_one_place() {
        let code = "use a;\npub mod __private {\npub use mt_pool::__private::Role;\n}\n";
        RULE.check(&[("crates/mt-beehive/src/lib.rs", code)]);
        let twice = format!("{code}use mt_pool::__private::Role; ~~");
        RULE.check(&[("crates/mt-beehive/src/lib.rs", &twice)]);
        let code = "use mt_pool::{A, __private::Role};";
        RULE.check(&[("crates/mt-beehive/src/queen.rs", &format!("{code} ~~"))]);
        RULE.check(&[("crates/mt-beehive/tests/a.rs", code)]);
    }
}

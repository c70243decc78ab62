//! Maps that lead somewhere, and maps that do not.

use super::*;

const SOURCE: (&str, &str) = (
    "crates/a/src/b.rs",
    "use other::Guest; impl Pool { pub fn start(now: u8) { call(); } } pub struct Pool;\n\
     enum Sort { /// One.\n#[doc(alias = \"x\")] One { at: u8 }, Two } macro_rules! task { () => {} }",
);

/// A map with a right row for everything but `without`, and then this row.
fn map(without: &[&str], row: &str) -> String {
    let names = names().into_iter();
    let names = names.filter(|name| !without.contains(&name.as_str()));
    let right: String = names
        .map(|name| format!("| `{name}` | `Pool` | `crates/a/src/b.rs` |\n"))
        .collect();
    format!("| seed | Rust item | file |\n|---|---|---|\n{right}{row}")
}

/// Checks a map with this row of a seed's name and an item.
#[track_caller]
fn check_row(seed: &str, item: &str, mark: &str) {
    let row = format!("| `{seed}` | {item} | `crates/a/src/b.rs` |{mark}");
    RULE.check(&[SOURCE, ("docs/seed-map.md", &map(&[], &row))]);
}

/// Case D34: What the map says a name of the seed has become is there.
#[test]
fn rows_that_lead_nowhere_are_found() {
    for item in [
        "`Pool::start`, `Pool`",
        "`now`",
        "`Sort::One`",
        "`Sort::Two`",
        "`at`",
        "`task!`",
    ] {
        check_row("asyn_pmap", item, "");
    }
    for item in ["`Pool::stop`", "somewhere", "`Guest`", "`call`", "`other`"] {
        check_row("asyn_pmap", item, "~~");
    }
    let lost = map(
        &[],
        "| `asyn_pmap` | `Pool::start` | `crates/a/src/c.rs` |~~",
    );
    RULE.check(&[SOURCE, ("docs/seed-map.md", &lost)]);
}

#[test]
fn rows_of_names_that_the_seed_does_not_have_are_found() {
    check_row("asyn_pmap(pool_ordered)", "`Pool`", "");
    for seed in ["asyn_map", "asyn_pmap(ordered)", "split_works(profile)"] {
        check_row(seed, "`Pool`", "~~");
    }
}

#[test]
fn names_and_arguments_without_a_row_are_found() {
    let without = map(&["task_raised", "split_works(num_buckets)"], "");
    let found = RULE.find(&[SOURCE, ("docs/seed-map.md", &without)]);
    assert_eq!(found.places(), ["docs/seed-map.md:1"; 2], "{found:?}");
    let found = RULE.find(&[SOURCE]);
    assert_eq!(found.places(), ["docs/seed-map.md:1"], "there is no map");
}

#[test]
fn an_item_ends_with_its_identifier() {
    for (item, expected) in [
        ("asyn_pmap::<f>", "asyn_pmap"),
        ("Pool::<T>::start(now)", "start"),
        ("WorkIterator<T>", "WorkIterator"),
        ("task!", "task"),
        ("Options.batch_size", "batch_size"),
    ] {
        assert_eq!(identifier(item), expected);
    }
}

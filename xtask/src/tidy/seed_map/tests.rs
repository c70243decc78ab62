//! Maps that lead somewhere, and maps that do not.

use super::super::violation::check;
use super::*;

const SOURCE: (&str, &str) = (
    "crates/a/src/b.rs",
    "use other::Guest; impl Pool { pub fn start(now: u8) { call(); } } pub struct Pool;\n\
     enum Sort { /// One.\n#[doc(alias = \"x\")] One { at: u8 }, Two } macro_rules! task { () => {} }",
);

/// A map with a right row for everything but `without`, and then these rows.
fn map(without: &[&str], rows: &str) -> String {
    let names = names().into_iter();
    let names = names.filter(|name| !without.contains(&name.as_str()));
    let right: String = names
        .map(|name| format!("| `{name}` | `Pool` | `crates/a/src/b.rs` |\n"))
        .collect();
    format!("| seed | Rust item | file |\n|---|---|---|\n{right}{rows}\n")
}

#[track_caller]
fn check_row(row: &str, is_right: bool) {
    let map = map(&[], row);
    let last = format!("docs/seed-map.md:{}", map.lines().count());
    let expected: &[&str] = if is_right { &[] } else { &[&last] };
    check(&RULE, &[SOURCE, ("docs/seed-map.md", &map)], expected);
}

#[test]
fn rows_that_lead_nowhere_are_found() {
    let seed = "`asyn_pmap`";
    for item in [
        "`Pool::start`, `Pool`",
        "`now`",
        "`Sort::One`",
        "`Sort::Two`",
        "`at`",
        "`task!`",
    ] {
        check_row(&format!("| {seed} | {item} | `crates/a/src/b.rs` |"), true);
    }
    for item in ["`Pool::stop`", "somewhere", "`Guest`", "`call`", "`other`"] {
        check_row(&format!("| {seed} | {item} | `crates/a/src/b.rs` |"), false);
    }
    check_row(
        &format!("| {seed} | `Pool::start` | `crates/a/src/c.rs` |"),
        false,
    );
}

#[test]
fn rows_of_names_that_the_seed_does_not_have_are_found() {
    check_row(
        "| `asyn_pmap(pool_ordered)` | `Pool` | `crates/a/src/b.rs` |",
        true,
    );
    for seed in ["asyn_map", "asyn_pmap(ordered)", "split_works(profile)"] {
        check_row(
            &format!("| `{seed}` | `Pool` | `crates/a/src/b.rs` |"),
            false,
        );
    }
}

#[test]
fn names_and_arguments_without_a_row_are_found() {
    let without = map(&["task_raised", "split_works(num_buckets)"], "");
    let expected = ["docs/seed-map.md:1", "docs/seed-map.md:1"];
    check(&RULE, &[SOURCE, ("docs/seed-map.md", &without)], &expected);
    check(&RULE, &[SOURCE], &["docs/seed-map.md:1"]);
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

//! `docs/protocol.md` names every message and field there is, and no function or test there is not.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    path::{Path, PathBuf},
};

const DOC: &str = include_str!("../../../docs/protocol.md");
const MESSAGES: &str = include_str!("../../mt-proto/src/hive.rs");
const SETUP: &str = include_str!("../src/registry.rs");
const AROUND: &str = include_str!("../../mt-proto/src/message.rs");
const BUILD: &str = include_str!("../../mt-proto/src/fingerprint.rs");

/// `TaskInfo` as `task_info`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The lines of a type's definition.
fn lines<'a>(source: &'a str, definition: &str) -> Vec<&'a str> {
    let from = source.split_once(definition);
    let (_, rest) = from.unwrap_or_else(|| panic!("no {definition:?}"));
    let (body, _) = rest.split_once("\n}").unwrap();
    let body = body.lines().map(str::trim);
    body.filter(|line| !line.starts_with("///") && !line.starts_with('#'))
        .collect()
}

fn is_word(word: &str) -> bool {
    let letter = |it: char| it.is_ascii_alphanumeric() || it == '_';
    !word.is_empty() && word.chars().all(letter)
}

/// The variants of an enum of messages.
fn variants<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let lines = lines(source, &format!("pub enum {name} {{"));
    let words = lines.iter().map(|line| line.split([' ', '(', ',']).next());
    words
        .flatten()
        .filter(|word| word.starts_with(|letter: char| letter.is_ascii_uppercase()))
        .collect()
}

/// The fields of a type, or of its variants.
fn fields<'a>(source: &'a str, definition: &str) -> Vec<&'a str> {
    let lines = lines(source, definition);
    let fields = lines.iter().filter_map(|line| line.split_once(": "));
    let names = fields.map(|(name, _)| name.rsplit(' ').next().unwrap_or(name));
    names.filter(|name| is_word(name)).collect()
}

/// Case D17: The protocol page names every message and every field.
#[test]
fn every_message_and_field_is_named() {
    let mut names = Vec::new();
    for messages in ["ToBee", "FromBee", "TaskStatus"] {
        let found = variants(MESSAGES, messages);
        assert!(found.len() > 1, "{messages} was read wrongly: {found:?}");
        names.extend(found.into_iter().map(snake));
        let definition = format!("pub enum {messages} {{");
        names.extend(fields(MESSAGES, &definition).into_iter().map(str::to_owned));
    }
    let types = [
        (MESSAGES, "pub struct TaskInfo {"),
        (MESSAGES, "pub struct RaisedException {"),
        (SETUP, "pub(crate) struct BeeSetup {"),
        (BUILD, "pub struct Build {"),
        (AROUND, "pub struct Welcome {"),
    ];
    for (source, definition) in types {
        let found = fields(source, definition);
        assert!(found.len() > 1, "{definition} was read wrongly: {found:?}");
        names.extend(found.into_iter().map(str::to_owned));
    }
    names.retain(|name| !DOC.contains(&format!("`{name}`")));
    assert!(names.is_empty(), "docs/protocol.md does not name {names:?}");
}

/// Every Rust file below a folder, as one text.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// What is between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Case D18: Each rule of the protocol has functions that keep it and tests that show it.
#[test]
fn what_keeps_and_shows_the_rules_is_there() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut all = String::new();
    for folder in ["mt-beehive/tests", "mt-beehive/src", "mt-pool/src"] {
        sources(&crates.join(folder), &mut all);
    }
    let (_, rules) = DOC.split_once("\n## The rules\n").unwrap();
    let rows = rules.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<Vec<&str>> = rows.map(|row| row[2..].split(" | ").collect()).collect();
    assert_eq!(rows.len(), 20, "nineteen rules below a header");
    for row in &rows[1..] {
        let [number, _rule, kept_by, shown_by] = row[..] else {
            panic!("a row of {} cells: {row:?}", row.len());
        };
        for part in kept_by.split(';') {
            let names: Vec<&str> = quoted(part).collect();
            let (file, functions) = names.split_last().unwrap();
            let file = match file.starts_with("mt-") {
                true => crates.join(file),
                false => crates.join("mt-beehive/src").join(file),
            };
            let source = fs::read_to_string(&file).unwrap();
            assert!(!functions.is_empty(), "rule {number} names no function");
            for function in functions {
                let there = source.contains(&format!("fn {function}("));
                assert!(there, "rule {number}: {} has no {function}", file.display());
            }
        }
        let tests: Vec<&str> = quoted(shown_by).collect();
        assert!(!tests.is_empty(), "rule {number} names no test");
        for test in tests {
            assert!(
                all.contains(&format!("fn {test}(")),
                "rule {number}: no test {test}"
            );
        }
    }
}

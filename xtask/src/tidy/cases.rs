//! Rule: what is promised is shown by a test, and the table of both in `docs/testing.md` is the tests' own.
//!
//! A test says what it shows in the last paragraph of its doc comment: `/// Case 12: A promise.`, with several
//! numbers if it shows several. The table is made of these lines; `cargo xtask tidy --write` writes it.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "cases",
    demands: "every case has a test that says `/// Case N: what is promised`, and the table in \
              docs/testing.md is what the tests say (`cargo xtask tidy --write`)",
    check,
};

pub(super) const PAGE: &str = "docs/testing.md";
const BEGIN: &str = "<!-- cases -->\n";
const END: &str = "<!-- end of cases -->";
const MARK: &str = "/// Case ";

/// The kinds of cases, each with the numbers that there must be.
const KINDS: [(&str, &str, &[u32]); 10] = [
    ("A", "no other value", &[1, 32]),
    ("B", "user code in the parent", &[2, 3, 4, 5, 36, 37, 38]),
    (
        "C",
        "who is to blame, and for what",
        &[6, 7, 8, 9, 10, 11, 12, 13, 31, 39],
    ),
    (
        "D",
        "ends that come, and in time",
        &[14, 15, 16, 17, 18, 30, 33, 34, 35],
    ),
    ("E", "however it is run", &[19, 20, 21, 22, 23, 24, 29]),
    ("F", "bounds", &[25, 26, 27, 28, 40]),
    (
        "G",
        "gaps found while building",
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    ),
    ("P", "stays as it was", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("Z", "any bytes", &[1, 2, 3, 4, 5, 6]),
    ("R", "promises of the pages", &[]),
];

/// A case: the place of its kind, and its number.
type Id = (usize, u32);

/// A test that shows a case.
struct Shown {
    promise: String,
    /// `path`: `function`.
    test: String,
}

fn check(tree: &Tree, found: &mut Findings) {
    let shown = collect(tree, found);
    for (kind, (letter, _, numbers)) in KINDS.iter().enumerate() {
        for number in numbers
            .iter()
            .filter(|number| !shown.contains_key(&(kind, **number)))
        {
            found.add(
                PAGE,
                1,
                format!("no test shows case {}", name(letter, *number)),
            );
        }
    }
    let page = tree.markdown_file(PAGE).map(|page| page.text.as_str());
    if page.and_then(cut).map(|(_, table, _)| table) != Some(render(&shown).as_str()) {
        found.add(
            PAGE,
            1,
            "the table is not what the tests say: `cargo xtask tidy --write`",
        );
    }
}

/// The page with the table that the tests make; `None` without a page with the two marks.
pub(super) fn rewritten(tree: &Tree) -> Option<String> {
    let shown = collect(tree, &mut Findings::default());
    let (before, _, after) = cut(&tree.markdown_file(PAGE)?.text)?;
    Some([before, &render(&shown), after].concat())
}

/// What is before the table, the table, and what is after it.
fn cut(page: &str) -> Option<(&str, &str, &str)> {
    let begin = page.find(BEGIN)? + BEGIN.len();
    let end = begin + page[begin..].find(END)?;
    Some((&page[..begin], &page[begin..end], &page[end..]))
}

fn collect(tree: &Tree, found: &mut Findings) -> BTreeMap<Id, Vec<Shown>> {
    let mut all: BTreeMap<Id, Vec<Shown>> = BTreeMap::new();
    for file in &tree.rust {
        for (at, comment) in file.comments.iter().enumerate() {
            let Some(said) = comment.text.strip_prefix(MARK) else {
                continue;
            };
            let Some((ids, promise)) = read(said, &file.comments[at + 1..], comment.line) else {
                let message =
                    "write `/// Case 12: A promise.`, with the number of a case that there is";
                found.add(&file.path, comment.line, message);
                continue;
            };
            let test = format!("`{}`: `{}`", file.path, function_after(file, comment.line));
            for id in ids {
                let (promise, test) = (promise.clone(), test.clone());
                all.entry(id).or_default().push(Shown { promise, test });
            }
        }
    }
    all
}

/// The cases and the promise of a comment that goes on in the lines after it.
fn read(said: &str, after: &[super::tokens::Comment], line: usize) -> Option<(Vec<Id>, String)> {
    let (ids, first) = said.split_once(": ")?;
    let ids: Option<Vec<Id>> = ids.split(", ").map(parse).collect();
    let (initial, rest) = first.split_at_checked(1)?;
    let mut promise = initial.to_uppercase() + rest;
    for (comment, number) in after.iter().zip(line + 1..) {
        match comment.text.strip_prefix("/// ") {
            Some(more) if comment.line == number => promise += &format!(" {more}"),
            _ => break,
        }
    }
    Some((ids?, promise))
}

/// `12`, or a letter and a number.
fn parse(id: &str) -> Option<Id> {
    let digits = id.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let number = digits.parse().ok()?;
    let letter = &id[..id.len() - digits.len()];
    let is_it = |(name, _, numbers): &&(&str, &str, &[u32])| match letter {
        "" => *name <= "F" && numbers.contains(&number),
        "R" => *name == "R",
        _ => *name == letter && *name > "F" && numbers.contains(&number),
    };
    let kind = KINDS.iter().position(|kind| is_it(&kind))?;
    Some((kind, number))
}

/// How a case is called: those of the first kinds are counted together.
fn name(letter: &str, number: u32) -> String {
    match letter <= "F" {
        true => number.to_string(),
        false => format!("{letter}{number}"),
    }
}

/// The name of the function that a comment on this line is about.
fn function_after(file: &RustFile, line: usize) -> &str {
    let mut fns = file.find(["fn"]).filter(|&at| file.tokens[at].line > line);
    let named = fns.next().and_then(|at| file.tokens.get(at + 1));
    named.map_or("", |token| &token.text)
}

fn render(shown: &BTreeMap<Id, Vec<Shown>>) -> String {
    let mut table = String::from("| case | kind | what is promised | test |\n|---|---|---|---|\n");
    for (&(kind, number), tests) in shown {
        let (letter, title, _) = KINDS[kind];
        for test in tests {
            let case = name(letter, number);
            let promise = test.promise.replace('|', "\\|");
            // Writing to a text does not fail.
            let _ = writeln!(table, "| {case} | {title} | {promise} | {} |", test.test);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{super::Tree, PAGE, RULE, rewritten};

    const TEST: &str =
        "/// Looks.\n///\n/// Case 12, G3: it holds\n/// always.\n#[test]\nfn a() {}\n";

    #[test]
    fn the_table_is_made_of_what_the_tests_say() {
        let page = "# Tests\n<!-- cases -->\nold\n<!-- end of cases -->\nmore\n";
        let tree = Tree::of(&[("crates/a/src/b.rs", TEST), (PAGE, page)]);
        let rewritten = rewritten(&tree).expect("there are marks");
        let rows = "| 12 | who is to blame, and for what | It holds always. | `crates/a/src/b.rs`: `a` |\n\
                    | G3 | gaps found while building | It holds always. | `crates/a/src/b.rs`: `a` |\n";
        assert!(rewritten.contains(rows), "{rewritten}");
        assert!(rewritten.starts_with("# Tests\n") && rewritten.ends_with("cases -->\nmore\n"));
        let found = RULE.find(&[("crates/a/src/b.rs", TEST), (PAGE, &rewritten)]);
        let messages: Vec<_> = found.0.iter().map(|one| one.message.as_str()).collect();
        assert!(
            messages.contains(&"no test shows case 1")
                && messages.contains(&"no test shows case P9")
        );
        assert!(!messages.contains(&"no test shows case 12"));
        assert!(
            !messages.iter().any(|message| message.contains("table")),
            "{messages:?}"
        );
        let found = RULE.find(&[("crates/a/src/b.rs", TEST), (PAGE, page)]);
        assert!(found.0.iter().any(|one| one.message.contains("table")));
    }

    #[test]
    fn a_case_that_there_is_not_is_refused() {
        for text in [
            "/// Case 41: No.\nfn a() {}",
            "/// Case 12 no colon\nfn a() {}",
            "/// Case C6: No.\nfn a() {}",
        ] {
            let found = RULE.find(&[("crates/a/src/b.rs", text)]);
            assert!(
                found.places().contains(&"crates/a/src/b.rs:1".to_owned()),
                "{text}"
            );
        }
    }
}

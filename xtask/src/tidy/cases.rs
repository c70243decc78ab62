//! Rule: what is promised is shown by a test, and the tables of both in `docs/testing.md` are the tests' own.
//!
//! A test says what it shows in the last paragraph of its doc comment: `/// Case 12: A promise.`, with several
//! numbers if it shows several. Before tests that a macro makes it is `// Case 12: …`, and in an example of a
//! documentation a hidden line, `/// # // Case 12: …`. The tables are made of these lines; `cargo xtask tidy --write`
//! writes them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::tokens::{Comment, Token};
use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "cases",
    demands: "every case and every promise has a test that says `/// Case N: what is promised`, numbers have no gaps and \
              promises one each, \
              and the tables in docs/testing.md are what the tests say (`cargo xtask tidy --write`)",
    check,
};

pub(super) const PAGE: &str = "docs/testing.md";
const BEGIN: [&str; 2] = ["<!-- cases -->\n", "<!-- promises -->\n"];
const END: [&str; 2] = ["<!-- end of cases -->", "<!-- end of promises -->"];
/// What begins the line of a test; of several tests that a macro makes; of an example in a documentation, where the line is
/// not shown.
const MARKS: [&str; 4] = ["/// Case ", "// Case ", "/// # // Case ", "//! # // Case "];
/// What may stand between such a line and the name of what it is about.
const BEFORE_NAMES: [&str; 4] = ["pub", "async", "const", "unsafe"];

/// A kind of cases.
struct Kind {
    /// What stands before its numbers; nothing for the first kinds, which are counted together.
    prefix: &'static str,
    title: &'static str,
    numbers: Numbers,
}

/// The numbers that there must be of a kind.
enum Numbers {
    /// These, for something else counts them.
    Given(&'static [u32]),
    /// Any, without a gap: promises are found by their page, and nothing outside this repository counts them.
    Promises,
}

use Numbers::{Given, Promises};

const KINDS: [Kind; 15] = [
    Kind::new("", "no other value", Given(&[1, 32])),
    Kind::new(
        "",
        "user code in the parent",
        Given(&[2, 3, 4, 5, 36, 37, 38]),
    ),
    Kind::new(
        "",
        "who is to blame, and for what",
        Given(&[6, 7, 8, 9, 10, 11, 12, 13, 31, 39]),
    ),
    Kind::new(
        "",
        "ends that come, and in time",
        Given(&[14, 15, 16, 17, 18, 30, 33, 34, 35]),
    ),
    Kind::new(
        "",
        "however it is run",
        Given(&[19, 20, 21, 22, 23, 24, 29]),
    ),
    Kind::new("", "bounds", Given(&[25, 26, 27, 28, 40])),
    Kind::new(
        "G",
        "gaps found while building",
        Given(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    ),
    Kind::new("P", "stays as it was", Given(&[1, 2, 3, 4, 5, 6, 7, 8, 9])),
    Kind::new("Z", "any bytes", Given(&[1, 2, 3, 4, 5, 6])),
    Kind::new("R", "README", Promises),
    Kind::new("D", "docs", Promises),
    Kind::new("M", "mt-pool", Promises),
    Kind::new("H", "mt-beehive", Promises),
    Kind::new("I", "mt-ipc, mt-proto", Promises),
    Kind::new("C", "mt-context", Promises),
];

impl Kind {
    const fn new(prefix: &'static str, title: &'static str, numbers: Numbers) -> Self {
        Self {
            prefix,
            title,
            numbers,
        }
    }

    /// Which of the page's tables it is in.
    fn table(&self) -> usize {
        match self.numbers {
            Given(_) => 0,
            Promises => 1,
        }
    }

    fn has(&self, number: u32) -> bool {
        match self.numbers {
            Given(numbers) => numbers.contains(&number),
            Promises => number > 0,
        }
    }

    /// The numbers that there have to be, if `last` is the last there is.
    fn demanded(&self, last: u32) -> Vec<u32> {
        match self.numbers {
            Given(numbers) => numbers.to_vec(),
            Promises => (1..=last).collect(),
        }
    }
}

/// A case: the place of its kind, and its number.
type Id = (usize, u32);

/// A test that shows a case.
struct Shown {
    promise: String,
    /// `path`: `function`.
    test: String,
}

type Cases = BTreeMap<Id, Vec<Shown>>;

fn check(tree: &Tree, found: &mut Findings) {
    let shown = collect(tree, found);
    for (at, kind) in KINDS.iter().enumerate() {
        let last = shown.range((at, 0)..(at + 1, 0)).next_back();
        for number in kind.demanded(last.map_or(0, |((_, number), _)| *number)) {
            if !shown.contains_key(&(at, number)) {
                found.add(
                    PAGE,
                    1,
                    format!("no test shows case {}{number}", kind.prefix),
                );
            }
        }
    }
    for ((at, number), tests) in &shown {
        let kind = &KINDS[*at];
        let differ = tests.iter().any(|test| test.promise != tests[0].promise);
        if differ && matches!(kind.numbers, Promises) {
            let prefix = kind.prefix;
            let message = format!("{prefix}{number} is two promises: give one another number");
            found.add(PAGE, 1, message);
        }
    }
    let page = tree.markdown_file(PAGE).map(|page| page.text.as_str());
    if page.is_none_or(|page| rewrite(page, &shown).as_deref() != Some(page)) {
        found.add(
            PAGE,
            1,
            "the tables are not what the tests say: `cargo xtask tidy --write`",
        );
    }
}

/// The page with the tables that the tests make; `None` without a page with the marks of both.
pub(super) fn rewritten(tree: &Tree) -> Option<String> {
    let shown = collect(tree, &mut Findings::default());
    rewrite(&tree.markdown_file(PAGE)?.text, &shown)
}

fn rewrite(page: &str, shown: &Cases) -> Option<String> {
    let (before, after) = cut(page, 0)?;
    let (between, rest) = cut(after, 1)?;
    Some([before, &render(shown, 0), between, &render(shown, 1), rest].concat())
}

/// What is before a table, and what is after it.
fn cut(page: &str, table: usize) -> Option<(&str, &str)> {
    let begin = page.find(BEGIN[table])? + BEGIN[table].len();
    let end = begin + page[begin..].find(END[table])?;
    Some((&page[..begin], &page[end..]))
}

fn collect(tree: &Tree, found: &mut Findings) -> Cases {
    let mut all = Cases::new();
    for file in &tree.rust {
        for (at, comment) in file.comments.iter().enumerate() {
            let Some((start, said)) = marked(&comment.text) else {
                continue;
            };
            let Some((ids, promise)) = read(start, said, &file.comments[at..]) else {
                let message =
                    "write `/// Case 12: A promise.`, with the number of a case that there is";
                found.add(&file.path, comment.line, message);
                continue;
            };
            let test = format!("`{}`: {}", file.path, what_shows(file, comment.line, start));
            for id in ids {
                let (promise, test) = (promise.clone(), test.clone());
                all.entry(id).or_default().push(Shown { promise, test });
            }
        }
    }
    all
}

/// How a line about a case begins, and what it says.
fn marked(line: &str) -> Option<(&'static str, &str)> {
    let mut marks = MARKS.iter();
    marks.find_map(|mark| Some((mark.strip_suffix("Case ")?, line.strip_prefix(mark)?)))
}

/// The cases and the promise of the first of these comments, which goes on in the lines after it.
fn read(start: &str, said: &str, comments: &[Comment]) -> Option<(Vec<Id>, String)> {
    let (ids, first) = said.split_once(": ")?;
    let ids: Option<Vec<Id>> = ids.split(", ").map(parse).collect();
    let (initial, rest) = first.split_at_checked(1)?;
    let mut promise = initial.to_uppercase() + rest;
    for (comment, line) in comments.iter().zip(comments[0].line..).skip(1) {
        match comment.text.strip_prefix(start) {
            Some(more) if comment.line == line && !more.starts_with("Case ") => {
                promise += &format!(" {more}")
            }
            _ => break,
        }
    }
    Some((ids?, promise))
}

/// `12`, or a letter and a number.
fn parse(id: &str) -> Option<Id> {
    let digits = id.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let number = digits.parse().ok()?;
    let prefix = &id[..id.len() - digits.len()];
    let is_it = |kind: &Kind| kind.prefix == prefix && kind.has(number);
    Some((KINDS.iter().position(is_it)?, number))
}

/// What shows the case that is told of on this line, in a comment that begins like this.
fn what_shows(file: &RustFile, line: usize, start: &str) -> String {
    let name = name_after(file, line);
    match start {
        "//! # // " => "its example".to_owned(),
        "/// # // " => format!("the example of `{name}`"),
        "// " => format!("the tests of `{name}`"),
        _ => format!("`{name}`"),
    }
}

/// The name of what a comment on this line is about: of a function, of another item, or of a macro that is called there.
fn name_after(file: &RustFile, line: usize) -> String {
    let is_after = |token: &Token| token.line > line;
    let mut at = file.tokens.iter().position(is_after).unwrap_or_default();
    loop {
        if file.tokens_are(at, &["#", "["]) || file.tokens_are(at, &["pub", "("]) {
            at = file.closing(at + 1) + 1;
        } else if BEFORE_NAMES.iter().any(|word| file.tokens_are(at, &[word])) {
            at += 1;
        } else {
            break;
        }
    }
    if file.tokens_are(at, &["use"]) {
        // What is published is named last.
        let end = file.tokens[at..].iter().position(|token| token.text == ";");
        at += end.map_or(0, |end| end.saturating_sub(2));
    }
    let is_call = file.tokens_are(at + 1, &["!", "{"]);
    let named = file.tokens.get(if is_call { at } else { at + 1 });
    let name = named.map_or("", |token| token.text.as_str());
    if is_call {
        format!("{name}!")
    } else {
        name.to_owned()
    }
}

fn render(shown: &Cases, table: usize) -> String {
    let first = ["case", "promise"][table];
    let second = ["kind", "made by"][table];
    let mut rows = format!("| {first} | {second} | what is promised | test |\n|---|---|---|---|\n");
    for (&(at, number), tests) in shown {
        let kind = &KINDS[at];
        for test in tests.iter().filter(|_| kind.table() == table) {
            let (prefix, title) = (kind.prefix, kind.title);
            let promise = test.promise.replace('|', "\\|");
            // Writing to a text does not fail.
            let _ = writeln!(
                rows,
                "| {prefix}{number} | {title} | {promise} | {} |",
                test.test
            );
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{super::Tree, PAGE, RULE, rewritten};

    const TEST: &str = "/// Looks.\n///\n/// Case 12, G3: it holds\n/// always.\n/// Case P2: And this.\n#[test]\nfn a() {}\n";

    #[test]
    fn the_table_is_made_of_what_the_tests_say() {
        let page = "# Tests\n<!-- cases -->\nold\n<!-- end of cases -->\nmore\n\
                    <!-- promises -->\n<!-- end of promises -->\n";
        let tree = Tree::of(&[("crates/a/src/b.rs", TEST), (PAGE, page)]);
        let rewritten = rewritten(&tree).expect("there are marks");
        let rows = "| 12 | who is to blame, and for what | It holds always. | `crates/a/src/b.rs`: `a` |\n\
                    | G3 | gaps found while building | It holds always. | `crates/a/src/b.rs`: `a` |\n\
                    | P2 | stays as it was | And this. | `crates/a/src/b.rs`: `a` |\n";
        assert!(rewritten.contains(rows), "{rewritten}");
        assert!(rewritten.starts_with("# Tests\n") && rewritten.contains("cases -->\nmore\n"));
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
    fn promises_are_shown_by_tests_macros_and_examples() {
        let text = "//! ```\n//! # // Case R1: one\n//! # // goes on.\n//! ```\n\
            // Case R2: Two.\ntests! { fn b() {} }\n\
            /// ```\n/// # // Case R4, M1: Three.\n/// ```\n#[derive(A)]\npub(crate) struct C;\n\
            /// ```\n/// # // Case R5: Four.\n/// ```\npub use d::e::F;\n";
        let page =
            "<!-- cases -->\n<!-- end of cases --><!-- promises -->\n<!-- end of promises -->";
        let found = RULE.find(&[("crates/a/src/b.rs", text), (PAGE, page)]);
        let messages: Vec<_> = found.0.iter().map(|one| one.message.as_str()).collect();
        assert!(messages.contains(&"no test shows case R3"), "{messages:?}");
        assert!(!messages.contains(&"no test shows case R6"), "{messages:?}");
        let tree = Tree::of(&[("crates/a/src/b.rs", text), (PAGE, page)]);
        let rewritten = rewritten(&tree).expect("there are marks");
        for row in [
            "| R1 | README | One goes on. | `crates/a/src/b.rs`: its example |\n",
            "| R2 | README | Two. | `crates/a/src/b.rs`: the tests of `tests!` |\n",
            "| R4 | README | Three. | `crates/a/src/b.rs`: the example of `C` |\n",
            "| R5 | README | Four. | `crates/a/src/b.rs`: the example of `F` |\n",
            "| M1 | mt-pool | Three. | `crates/a/src/b.rs`: the example of `C` |\n",
        ] {
            assert!(rewritten.contains(row), "{rewritten}");
        }
    }

    #[test]
    fn a_number_is_one_promise() {
        let is_told = |second: &str| {
            let text = format!("/// Case M1: One.\nfn a() {{}}\n/// Case {second}\nfn b() {{}}");
            let found = RULE.find(&[("crates/a/src/b.rs", &text)]);
            found
                .0
                .iter()
                .any(|one| one.message.starts_with("M1 is two"))
        };
        assert!(is_told("M1: Another."));
        assert!(!is_told("M1: One.") && !is_told("M2: Another."));
    }

    #[test]
    fn a_case_that_there_is_not_is_refused() {
        for text in [
            "/// Case 41: No.\nfn a() {}",
            "/// Case 12 no colon\nfn a() {}",
            "/// Case Y6: No.\nfn a() {}",
        ] {
            let found = RULE.find(&[("crates/a/src/b.rs", text)]);
            assert!(
                found.places().contains(&"crates/a/src/b.rs:1".to_owned()),
                "{text}"
            );
        }
    }
}

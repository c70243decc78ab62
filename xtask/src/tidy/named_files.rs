//! Rule: source files that the pages name are there.
//!
//! Pages name files by the end of their paths, several at once in braces: `queen/{run,options}.rs`. Decisions and the
//! changelog tell of what was, and may name what is no more.

use super::tree::Markdown;
use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "named-files",
    demands: "source files and folders that README.md and the pages in docs/ name in backticks are there",
    check,
};

fn check(tree: &Tree, found: &mut Findings) {
    for page in tree.markdown.iter().filter(|page| tells_of_what_is(page)) {
        for (line, number) in page.text.lines().zip(1..) {
            for name in line
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|name| is_path(name))
            {
                for path in expand(name) {
                    if !tree.ends(&path) {
                        let message = format!("`{path}` is not there: name what is");
                        found.add(&page.path, number, message);
                    }
                }
            }
        }
    }
}

fn tells_of_what_is(page: &Markdown) -> bool {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    page.path == "README.md" || folder == "docs"
}

/// Whether this names a source file, or a folder of them.
fn is_path(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-./{},".contains(c);
    let is_file = name.ends_with(".rs");
    let is_folder = name.contains("src/") || name.contains("tests/") || name.starts_with("docs/");
    !name.starts_with('.') && name.chars().all(is_part) && (is_file || is_folder)
}

/// The paths that are meant: one for each name in the first braces, and so on.
fn expand(name: &str) -> Vec<String> {
    let braces = name
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (names, after))) = braces else {
        return vec![name.trim_end_matches('/').to_owned()];
    };
    let names = names.split(',').map(|one| [before, one, after].concat());
    names.flat_map(|one| expand(&one)).collect()
}

#[cfg(test)]
mod tests {
    use super::RULE;

    /// Case D4: Every source file that a page of `docs/` names is there.
    #[test]
    fn files_that_are_named_and_not_there_are_found() {
        let there = [
            ("crates/a/src/b/c.rs", "//! C."),
            ("crates/a/tests/d.rs", "//! D."),
        ];
        for text in [
            "`b/c.rs`, `c.rs` and `crates/a/src/b/`, `a/src/{b}/c.rs`",
            "`tests/{c,d}.rs` ~~",
            "`b/{c,e}.rs` ~~",
            "`e.rs` ~~",
            "`crates/a/src/e` ~~",
            "`/proc/self/exe`, `text`, `c.rs is code` and `.rs`'s",
        ] {
            RULE.check(&[there[0], there[1], ("docs/page.md", text)]);
        }
        RULE.check(&[
            ("docs/decisions/0001.md", "`gone.rs`"),
            ("CHANGELOG.md", "`gone.rs`"),
        ]);
    }
}

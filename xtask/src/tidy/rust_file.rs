//! One Rust file: its tokens and comments, the paths it names, the markers of its module doc.

use super::tokens::{self, Comment, Token};

/// One Rust file.
pub(super) struct RustFile {
    /// Path from the workspace's root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
    /// False if the text does not split into tokens; then there are none.
    pub(super) is_rust: bool,
}

/// A path that the code names, such as `std::fs::read`; each name of a `use` with braces is a path.
pub(super) struct NamedPath {
    pub(super) segments: Vec<String>,
    pub(super) in_test: bool,
    /// Index of its first token; inside the braces of a `use`, of the first one there.
    pub(super) start: usize,
    /// Index of the token after the path.
    pub(super) end: usize,
}

impl NamedPath {
    /// Whether the segments of `part`, such as `Instant::now`, stand in this path one after
    /// another.
    pub(super) fn contains(&self, part: &str) -> bool {
        let part: Vec<&str> = part.split("::").collect();
        let mut windows = self.segments.windows(part.len());
        windows.any(|window| window == part)
    }
}

impl RustFile {
    pub(super) fn new(path: String, text: String) -> Self {
        let lexed = tokens::lex(&text, is_test(&path));
        let is_rust = lexed.is_ok();
        let (tokens, comments) = lexed.unwrap_or_default();
        Self {
            path,
            text,
            tokens,
            comments,
            is_rust,
        }
    }

    /// Whether a line of the module doc (`//!`) starts with `marker`.
    pub(super) fn has_marker(&self, marker: &str) -> bool {
        let lines = self.comments.iter();
        let mut lines = lines.filter_map(|comment| comment.text.strip_prefix("//!"));
        lines.any(|line| line.trim().starts_with(marker))
    }

    /// Whether this is the source of one of our crates and not its tests, benches or examples.
    pub(super) fn is_crate_source(&self) -> bool {
        self.path.starts_with("crates/") && self.path.split('/').nth(2) == Some("src")
    }

    /// Whether the whole file is test code: in a `tests` folder, the body of a `mod tests;`, or of the test kit.
    pub(super) fn is_test(&self) -> bool {
        is_test(&self.path)
    }

    /// The package that the file is of; empty if of none.
    pub(super) fn package(&self) -> &str {
        let folders = self.path.rsplit_once('/').map_or("", |(all, _)| all);
        let mut folders = folders.split('/');
        match folders.next() {
            Some("crates") => folders.next().unwrap_or_default(),
            other => other.unwrap_or_default(),
        }
    }

    /// The module that the file is, written as a path: its own without `.rs`, for a crate's root `…/src`.
    pub(super) fn module(&self) -> &str {
        let module = self.path.trim_end_matches(".rs");
        module.strip_suffix("/lib").unwrap_or(module)
    }

    /// The comments on line `line`, and on the line above if they fill it.
    pub(super) fn comments_at(&self, line: usize) -> impl Iterator<Item = &str> {
        let above_is_code = self.tokens.iter().any(|token| token.line + 1 == line);
        let here = move |c: &&Comment| c.line == line || (c.line + 1 == line && !above_is_code);
        let comments = self.comments.iter().filter(here);
        comments.map(|comment| comment.text.as_str())
    }

    /// Whether the token at `index` is a name or a keyword.
    pub(super) fn is_ident(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is_ident)
    }

    /// The texts of the tokens from `index` on match `texts` one by one.
    pub(super) fn tokens_are(&self, index: usize, texts: &[&str]) -> bool {
        let mut found = self.tokens[index.min(self.tokens.len())..].iter();
        let is_next = |text: &&str| found.next().is_some_and(|token| token.text == *text);
        texts.iter().all(is_next)
    }

    /// Whether these texts stand right before the token at `index`.
    pub(super) fn follows(&self, index: usize, texts: &[&str]) -> bool {
        index >= texts.len() && self.tokens_are(index - texts.len(), texts)
    }

    /// Where in the tokens these texts stand one after another.
    pub(super) fn find<const N: usize>(
        &self,
        texts: [&'static str; N],
    ) -> impl Iterator<Item = usize> {
        (0..self.tokens.len()).filter(move |&index| self.tokens_are(index, &texts))
    }

    /// The index of the bracket that closes the one at `open`.
    pub(super) fn closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        let is_last = |token: &Token| {
            match token.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            depth == 0
        };
        let length = self.tokens[open..].iter().position(is_last);
        length.map_or(self.tokens.len(), |length| open + length)
    }

    /// Every path the code names, also the ones of a single segment. Type arguments are no part of a path, but
    /// have paths of their own.
    pub(super) fn paths(&self) -> Vec<NamedPath> {
        let mut paths = Vec::new();
        self.paths_in(0, self.tokens.len(), &[], &mut paths);
        paths
    }

    /// Takes the paths that start between two indices.
    fn paths_in(&self, mut index: usize, end: usize, prefix: &[String], out: &mut Vec<NamedPath>) {
        while index < end {
            index = self.path_at(index, prefix, out);
        }
    }

    /// Takes the path that starts at `index`, if one does, and gives the index to go on from.
    fn path_at(&self, start: usize, prefix: &[String], out: &mut Vec<NamedPath>) -> usize {
        let first = &self.tokens[start];
        if !first.is_ident {
            return start + 1;
        }
        let mut segments = [prefix, std::slice::from_ref(&first.text)].concat();
        let mut end = start + 1;
        let is_name = |at| self.is_ident(at) || self.tokens_are(at, &["*"]);
        while self.tokens_are(end, &["::"]) && is_name(end + 1) {
            segments.push(self.tokens[end + 1].text.clone());
            end += 2;
        }
        if self.tokens_are(end, &["::", "{"]) {
            let close = self.closing(end + 1);
            self.paths_in(end + 2, close, &segments, out);
            return close + 1;
        }
        if !prefix.is_empty() && self.tokens_are(end, &["as"]) {
            end += 2;
        }
        out.push(NamedPath {
            segments,
            in_test: first.in_test,
            start,
            end,
        });
        end
    }
}

fn is_test(path: &str) -> bool {
    path.split('/')
        .any(|name| ["tests", "tests.rs", "mt-test-kit"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::RustFile;

    #[test]
    fn paths_are_found_in_uses_calls_and_macros() {
        for (text, expected) in [
            (
                "use std::{fs, time::{self, Instant as I}};",
                "use std::fs std::time::self std::time::Instant",
            ),
            ("a::b::<C, fn() -> D>(); m!(e::f);", "a::b C fn D m e::f"),
            ("use a::*; ::b::c();", "use a::* b::c"),
        ] {
            let file = RustFile::new("crates/a/src/b.rs".into(), text.into());
            let found = file
                .paths()
                .into_iter()
                .map(|path| path.segments.join("::"));
            assert_eq!(found.collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn markers_are_read_from_the_module_doc_only() {
        for (text, is_marked) in [
            ("//! What it does.\n//!\n//! Pure: no IO.\n", true),
            (
                "//! What it does, not Pure: at all.\n// Pure: no IO.\n",
                false,
            ),
        ] {
            let file = RustFile::new("a.rs".into(), text.into());
            assert_eq!(file.has_marker("Pure:"), is_marked);
        }
    }
}

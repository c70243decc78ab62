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
    pub(super) line: usize,
    pub(super) in_test: bool,
    /// Index of its first token; inside the braces of a `use`, of the first one there.
    pub(super) start: usize,
    /// Index of the token after the path and its type arguments.
    pub(super) end: usize,
}

impl NamedPath {
    /// Whether the segments of `part`, such as `Instant::now`, stand in this path one after
    /// another.
    pub(super) fn contains(&self, part: &str) -> bool {
        let part: Vec<&str> = part.split("::").collect();
        self.segments
            .windows(part.len())
            .any(|window| window == part)
    }

    /// Whether this path starts with the crate `name`.
    pub(super) fn is_of_crate(&self, name: &str) -> bool {
        self.segments.first().is_some_and(|first| first == name)
    }
}

impl RustFile {
    pub(super) fn new(path: String, text: String) -> Self {
        let lexed = tokens::lex(&text);
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
        self.comments
            .iter()
            .filter_map(|comment| comment.text.strip_prefix("//!"))
            .any(|line| line.trim().starts_with(marker))
    }

    /// Whether this is the source of one of our crates and not its tests, benches or examples.
    pub(super) fn is_crate_source(&self) -> bool {
        self.path.starts_with("crates/") && self.folders().nth(2) == Some("src")
    }

    /// The package that the file is of; empty if of none.
    pub(super) fn package(&self) -> &str {
        match self.path.split('/').collect::<Vec<_>>().as_slice() {
            ["crates", package, ..] | [package, _, ..] => package,
            _ => "",
        }
    }

    /// Whether the whole file is test code: in a `tests` folder, or the body of a `mod tests;`.
    pub(super) fn is_test(&self) -> bool {
        self.folders().any(|folder| folder == "tests") || self.path.ends_with("/tests.rs")
    }

    /// The names of the folders on the path.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .split('/')
    }

    /// The comments on line `line`, and on the line above if they fill it.
    pub(super) fn comments_at(&self, line: usize) -> impl Iterator<Item = &str> {
        let above_is_code = self.tokens.iter().any(|token| token.line + 1 == line);
        self.comments
            .iter()
            .filter(move |c| c.line == line || (c.line + 1 == line && !above_is_code))
            .map(|comment| comment.text.as_str())
    }

    /// The texts of the tokens from `index` on match `texts` one by one.
    pub(super) fn tokens_are(&self, index: usize, texts: &[&str]) -> bool {
        let found = self
            .tokens
            .get(index..index + texts.len())
            .unwrap_or_default();
        found.len() == texts.len()
            && found
                .iter()
                .zip(texts)
                .all(|(token, text)| token.text == *text)
    }

    /// The index of the bracket that closes the one at `open`.
    pub(super) fn closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for (offset, token) in self.tokens[open..].iter().enumerate() {
            match token.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return open + offset;
            }
        }
        self.tokens.len()
    }

    /// Every path the code names, also the ones of a single segment.
    pub(super) fn paths(&self) -> Vec<NamedPath> {
        let mut paths = Vec::new();
        let mut index = 0;
        while index < self.tokens.len() {
            index = self.path_at(index, &[], &mut paths);
        }
        paths
    }

    /// Takes the path that starts at `index`, if one does, and gives the index to go on from.
    fn path_at(&self, index: usize, prefix: &[String], out: &mut Vec<NamedPath>) -> usize {
        let first = &self.tokens[index];
        if !first.is_ident {
            return index + 1;
        }
        let mut segments = prefix.to_vec();
        segments.push(first.text.clone());
        let mut end = index + 1;
        while self.tokens_are(end, &["::"]) {
            match self.tokens.get(end + 1) {
                Some(next) if next.is_ident || next.text == "*" => {
                    segments.push(next.text.clone());
                    end += 2;
                }
                Some(next) if next.text == "<" => {
                    let after = self.after_type_arguments(end + 1);
                    let mut inside = end + 2;
                    while inside < after {
                        inside = self.path_at(inside, &[], out);
                    }
                    end = after;
                }
                Some(next) if next.text == "{" => return self.use_group(end + 2, &segments, out),
                _ => break,
            }
        }
        if !prefix.is_empty() && self.tokens_are(end, &["as"]) {
            end += 2;
        }
        let (line, in_test) = (first.line, first.in_test || self.is_test());
        out.push(NamedPath {
            segments,
            line,
            in_test,
            start: index,
            end,
        });
        end
    }

    /// Takes the paths between the braces of a `use`, the first at `index`.
    fn use_group(&self, mut index: usize, prefix: &[String], out: &mut Vec<NamedPath>) -> usize {
        while index < self.tokens.len() && self.tokens[index].text != "}" {
            index = self.path_at(index, prefix, out);
        }
        index + 1
    }

    /// The index after the `>` that closes the `<` at `index`.
    fn after_type_arguments(&self, index: usize) -> usize {
        let mut depth = 0_usize;
        for (offset, token) in self.tokens[index..].iter().enumerate() {
            let is_arrow = self.tokens_are(index + offset.saturating_sub(1), &["-", ">"]);
            match token.text.as_str() {
                "<" => depth += 1,
                ">" if !is_arrow => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return index + offset + 1;
            }
        }
        self.tokens.len()
    }
}

#[cfg(test)]
mod tests {
    use super::RustFile;

    fn check(text: &str, expected: &[&str]) {
        let file = RustFile::new("crates/a/src/b.rs".into(), text.into());
        let found: Vec<String> = file
            .paths()
            .iter()
            .map(|path| path.segments.join("::"))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn paths_are_found_in_uses_calls_and_macros() {
        check(
            "use std::{fs, time::{self, Instant as I}};",
            &["use", "std::fs", "std::time::self", "std::time::Instant"],
        );
        check(
            "a::b::<C, fn() -> D>(); m!(e::f);",
            &["C", "fn", "D", "a::b", "m", "e::f"],
        );
        check("use a::*; ::b::c();", &["use", "a::*", "b::c"]);
    }

    #[test]
    fn markers_are_read_from_the_module_doc_only() {
        let file = |text: &str| RustFile::new("a.rs".into(), text.into());
        assert!(file("//! What it does.\n//!\n//! Pure: no IO.\n").has_marker("Pure:"));
        assert!(
            !file("//! What it does, not Pure: at all.\n// Pure: no IO.\n").has_marker("Pure:")
        );
    }
}

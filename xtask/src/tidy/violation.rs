//! What a rule is and what it finds; and how rules are tested.

use super::{RustFile, Tree};

/// One rule of the codebase.
pub(super) struct Rule {
    /// Short name, printed with each violation and taken by `--only`.
    pub(super) name: &'static str,
    /// What the rule demands, in one sentence.
    pub(super) demands: &'static str,
    /// Finds what breaks the rule.
    pub(super) check: fn(&Tree, &mut Findings),
}

/// One place that breaks a rule.
#[derive(Debug)]
pub(super) struct Violation {
    /// Path from the workspace's root, with `/` on every platform.
    pub(super) path: String,
    /// Line, from 1.
    pub(super) line: usize,
    /// What to do about it.
    pub(super) message: String,
}

/// What a rule has found.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Violation>);

impl Findings {
    /// Adds a place.
    pub(super) fn add(&mut self, path: &str, line: usize, message: impl Into<String>) {
        self.0.push(Violation {
            path: path.to_owned(),
            line,
            message: message.into(),
        });
    }

    /// Adds the places of these tokens of a file.
    pub(super) fn add_tokens(
        &mut self,
        file: &RustFile,
        tokens: impl IntoIterator<Item = usize>,
        message: &str,
    ) {
        for at in tokens {
            self.add(&file.path, file.tokens[at].line, message);
        }
    }
}

#[cfg(test)]
impl Findings {
    /// The path and line of each.
    pub(super) fn places(&self) -> Vec<String> {
        let places = self.0.iter();
        places
            .map(|one| format!("{}:{}", one.path, one.line))
            .collect()
    }
}

#[cfg(test)]
impl Rule {
    /// Holds the rule against files, each a path and a text. What it finds must be the lines that end in `~~`,
    /// which is taken off before.
    #[track_caller]
    pub(super) fn check(&self, files: &[(&str, &str)]) {
        let mut expected = Vec::new();
        for (path, text) in files {
            let lines = text.lines().zip(1..);
            let marked = lines.filter(|(line, _)| line.ends_with("~~"));
            let marked = marked.map(|(_, number)| format!("{path}:{number}"));
            let before = expected.len();
            expected.extend(marked);
            let marks = text.matches("~~").count();
            assert_eq!(marks, expected.len() - before, "marks end lines");
        }
        let plain: Vec<_> = files
            .iter()
            .map(|(path, text)| (*path, text.replace("~~", "")))
            .collect();
        let plain: Vec<_> = plain
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        let found = self.find(&plain);
        let mut places = found.places();
        places.sort_unstable();
        expected.sort_unstable();
        assert_eq!(places, expected, "{found:#?}");
    }

    /// What the rule finds in files, each a path and a text.
    pub(super) fn find(&self, files: &[(&str, &str)]) -> Findings {
        let mut found = Findings::default();
        (self.check)(&Tree::of(files), &mut found);
        found
    }
}

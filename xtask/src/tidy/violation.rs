//! What a rule is and what it finds; and how rules are tested.

use super::{Known, RustFile, Tree};

/// One rule of the codebase.
pub(super) struct Rule {
    /// Short name, printed with each violation and taken by `--only`.
    pub(super) name: &'static str,
    /// What the rule demands, in one sentence.
    pub(super) demands: &'static str,
    /// Finds what breaks the rule.
    pub(super) check: fn(&Tree, &mut Findings),
    /// What of that is let pass for now.
    pub(super) known: Known,
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
    /// By what the rule's list of [`Known`] names it: the path, where the rule says nothing else.
    pub(super) subject: String,
}

/// What a rule has found.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Violation>);

impl Findings {
    /// Adds a place.
    pub(super) fn add(
        &mut self,
        path: &str,
        line: usize,
        message: impl Into<String>,
    ) -> &mut Violation {
        self.0.push(Violation {
            path: path.to_owned(),
            line,
            message: message.into(),
            subject: path.to_owned(),
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
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

/// Holds `rule` against the files (path and text) and compares the violations with `expected`, each
/// written `path:line`.
#[cfg(test)]
pub(super) fn check(rule: &Rule, files: &[(&str, &str)], expected: &[&str]) {
    let files = files.iter();
    let tree = Tree::of(files.map(|(path, text)| ((*path).into(), (*text).into())));
    let mut found = Findings::default();
    (rule.check)(&tree, &mut found);
    let places = found.0.iter().map(|v| format!("{}:{}", v.path, v.line));
    assert_eq!(places.collect::<Vec<_>>(), expected, "{found:#?}");
}

//! What a rule is and what it finds; and how rules are tested.

use super::{Known, Tree};

/// One rule of the codebase.
pub(super) struct Rule {
    /// Short name, printed with each violation and taken by `--only`.
    pub(super) name: &'static str,
    /// What the rule demands, in one sentence.
    pub(super) demands: &'static str,
    /// Finds what breaks the rule.
    pub(super) check: fn(&Tree) -> Vec<Violation>,
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
    /// By what the rule's list of [`Known`] names it.
    pub(super) subject: String,
}

impl Violation {
    pub(super) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
            subject: String::new(),
        }
    }

    /// The same with a subject.
    pub(super) fn about(self, subject: impl Into<String>) -> Self {
        let subject = subject.into();
        Self { subject, ..self }
    }
}

/// Holds `rule` against the files (path and text) and compares the violations with `expected`, each
/// written `path:line`.
#[cfg(test)]
pub(super) fn check(rule: &Rule, files: &[(&str, &str)], expected: &[&str]) {
    let files = files.iter();
    let tree = Tree::of(files.map(|(path, text)| ((*path).into(), (*text).into())));
    let violations = (rule.check)(&tree);
    let found = violations.iter().map(|v| format!("{}:{}", v.path, v.line));
    assert_eq!(found.collect::<Vec<_>>(), expected, "{violations:#?}");
}

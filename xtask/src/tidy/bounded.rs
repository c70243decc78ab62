//! Rule: every channel has a bound.

use super::{Findings, NamedPath, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "bounded",
    demands: "no unbounded channel in crates/*/src: not of tokio, std, futures, flume, crossbeam \
              or async-channel",
    check,
};

/// Names that only unbounded channels have.
const UNBOUNDED: &[&str] = &[
    "unbounded",
    "unbounded_channel",
    "UnboundedSender",
    "UnboundedReceiver",
];

fn check(tree: &Tree, found: &mut Findings) {
    for file in tree.sources() {
        let paths = file.paths().into_iter();
        let unbounded = paths.filter(|path| !path.in_test && is_unbounded(file, path));
        found.add_tokens(
            file,
            unbounded.map(|path| path.start),
            "every queue has a bound with a name in a config type: use a bounded channel",
        );
    }
}

/// Whether this is the name of an unbounded channel, or of the one of std: that is called without
/// arguments, unlike tokio's of the same path.
fn is_unbounded(file: &RustFile, path: &NamedPath) -> bool {
    UNBOUNDED.iter().any(|name| path.contains(name))
        || path.contains("std::sync::mpsc::channel")
        || (path.contains("mpsc::channel") && is_called_without_arguments(file, path))
}

fn is_called_without_arguments(file: &RustFile, path: &NamedPath) -> bool {
    let mut call = path.end;
    if file.tokens_are(call, &["::", "<"]) {
        // Type arguments may have brackets in them, but none behind a `>`.
        let mut rest = call..file.tokens.len();
        call = rest
            .find(|&at| file.tokens_are(at, &[">", "("]))
            .map_or(call, |at| at + 1);
    }
    file.tokens_are(call, &["(", ")"])
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn unbounded_channels_are_found_and_bounded_ones_are_not() {
        for code in [
            "let (a, b) = tokio::sync::mpsc::unbounded_channel::<u8>(); ~~",
            "let (a, b) = mpsc::channel::<Vec<u8>>(); ~~",
            "use std::sync::{mpsc::channel, Arc}; ~~",
            "let (a, b) = flume::unbounded(); ~~",
            "use tokio::sync::mpsc::{Sender, UnboundedSender}; ~~",
            "let (a, b) = mpsc::channel(options.queue_capacity);",
            "use tokio::sync::mpsc::channel; fn f() { g::<u8>(); }",
            "let (a, b) = mpsc::channel::<()>(1);",
            "let (a, b) = mpsc::channel::<()>(); ~~",
            "let (a, b) = mpsc::sync_channel(1);",
            "let (a, b) = oneshot::channel();",
            "// unbounded_channel()",
        ] {
            RULE.check(&[("crates/mt-ipc/src/lib.rs", code)]);
            RULE.check(&[("crates/mt-ipc/tests/a.rs", code.trim_end_matches('~'))]);
        }
    }
}

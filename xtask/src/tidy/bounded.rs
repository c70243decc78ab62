//! Rule: every channel has a bound.

use super::known::Known;
use super::rust_file::RustFile;
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "bounded",
    demands: "no unbounded channel in crates/*/src: not of tokio, std, futures, flume, crossbeam \
              or async-channel",
    check,
    known: Known::Nothing,
};

/// Names that only unbounded channels have.
const UNBOUNDED: &[&str] = &[
    "unbounded",
    "unbounded_channel",
    "UnboundedSender",
    "UnboundedReceiver",
];

/// The channel of std: unbounded, and called without arguments, unlike tokio's of the same path.
const STD_CHANNEL: &str = "mpsc::channel";

fn check(tree: &Tree) -> Vec<Violation> {
    let sources = tree.rust.iter().filter(|file| file.is_crate_source());
    sources.flat_map(unbounded).collect()
}

fn unbounded(file: &RustFile) -> Vec<Violation> {
    let message = "every queue has a bound with a name in a config type: use a bounded channel";
    file.paths()
        .iter()
        .filter(|path| !path.in_test)
        .filter(|path| {
            let is_unbounded = path
                .segments
                .iter()
                .any(|name| UNBOUNDED.contains(&name.as_str()));
            let is_called_empty = file.tokens_are(path.end, &["(", ")"]);
            is_unbounded
                || path.contains("std::sync::mpsc::channel")
                || (path.contains(STD_CHANNEL) && is_called_empty)
        })
        .map(|path| Violation::new(&file.path, path.line, message))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    #[test]
    fn unbounded_channels_are_found_and_bounded_ones_are_not() {
        let path = "crates/mt-ipc/src/lib.rs";
        for code in [
            "let (a, b) = tokio::sync::mpsc::unbounded_channel::<u8>();",
            "let (a, b) = mpsc::channel::<Vec<u8>>();",
            "use std::sync::{mpsc::channel, Arc};",
            "let (a, b) = flume::unbounded();",
            "use tokio::sync::mpsc::{Sender, UnboundedSender};",
        ] {
            check(&RULE, &[(path, code)], &["crates/mt-ipc/src/lib.rs:1"]);
            check(&RULE, &[("crates/mt-ipc/tests/a.rs", code)], &[]);
        }
        for code in [
            "let (a, b) = mpsc::channel(options.queue_capacity);",
            "let (a, b) = mpsc::sync_channel(1);",
            "let (a, b) = oneshot::channel();",
            "// unbounded_channel()",
        ] {
            check(&RULE, &[(path, code)], &[]);
        }
    }
}

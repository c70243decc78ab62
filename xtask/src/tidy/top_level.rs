//! Rule: what stands at the top of the repository belongs there.
//!
//! What a command leaves behind by accident (a program, a log, a core dump) is mostly left there.

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "top-level",
    demands: "nothing stands at the top level but what is listed in xtask/src/tidy/top_level.rs",
    check,
};

/// All that belongs there.
const LISTED: [&str; 17] = [
    ".cargo",
    ".ci",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "clippy.toml",
    "crates",
    "deny.toml",
    "docs",
    "rustfmt.toml",
    "xtask",
];

fn check(tree: &Tree, found: &mut Findings) {
    for name in tree.top_level() {
        if !LISTED.contains(&name) {
            found.add(
                name,
                1,
                "does not belong at the top level: remove it, or list it in xtask/src/tidy/top_level.rs",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LISTED, RULE};
    use crate::{step, tidy::tree::Tree};

    #[test]
    fn what_is_not_listed_is_found() {
        RULE.check(&[("README.md", ""), ("docs/a.md", ""), (".ci/run", "")]);
        RULE.check(&[("core.1234", "~~"), ("readme.md", "~~")]);
        assert_eq!(RULE.find(&[("doc/a.md", "")]).places(), ["doc:1"]);
    }

    #[test]
    fn what_is_listed_is_there() {
        let tree = Tree::read(&step::root()).expect("the workspace can be read");
        let there = tree.top_level();
        assert!(LISTED.iter().all(|name| there.contains(name)), "{there:?}");
    }
}

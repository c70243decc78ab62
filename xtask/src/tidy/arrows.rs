//! Rule: our crates depend on each other in one direction only.

use super::known::Known;
use super::manifest::Manifest;
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "arrows",
    demands: "our crates depend downwards only: mt-beehive -> mt-pool -> mt-ipc -> mt-proto; \
              mt-macros and xtask on none of ours; nothing on xtask or mt-benches",
    check,
    known: Known::Nothing,
};

/// Each of our packages, and the ones of ours that it may depend on, for its tests too.
const ARROWS: &[(&str, &[&str])] = &[
    ("mt-proto", &[]),
    ("mt-macros", &[]),
    ("mt-ipc", &["mt-proto"]),
    ("mt-pool", &["mt-proto", "mt-ipc", "mt-macros"]),
    (
        "mt-beehive",
        &["mt-proto", "mt-ipc", "mt-macros", "mt-pool"],
    ),
    (
        "mt-benches",
        &["mt-proto", "mt-ipc", "mt-macros", "mt-pool", "mt-beehive"],
    ),
    ("xtask", &[]),
];

fn check(tree: &Tree) -> Vec<Violation> {
    tree.manifests
        .iter()
        .filter(|manifest| !manifest.package.is_empty())
        .flat_map(broken)
        .collect()
}

fn broken(manifest: &Manifest) -> Vec<Violation> {
    let Some((package, allowed)) = ARROWS.iter().find(|(name, _)| *name == manifest.package) else {
        let message = format!(
            "give `{}` a line in ARROWS in xtask's arrows.rs",
            manifest.package
        );
        return vec![Violation::new(&manifest.path, 1, message)];
    };
    let is_ours = |name: &str| ARROWS.iter().any(|(ours, _)| *ours == name);
    manifest
        .dependencies
        .iter()
        .filter(|dependency| is_ours(&dependency.name))
        // For the features that its own tests and examples need.
        .filter(|dependency| dependency.name != *package)
        .filter(|dependency| !allowed.contains(&dependency.name.as_str()))
        .map(|dependency| {
            let message = format!(
                "{package} must not depend on {}: move what it needs down, or the use of it up",
                dependency.name
            );
            Violation::new(&manifest.path, dependency.line, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    fn manifest(package: &str, rest: &str) -> String {
        format!("[package]\nname = \"{package}\"\n{rest}")
    }

    #[test]
    fn upward_and_unknown_arrows_are_found() {
        let ipc = manifest("mt-ipc", "[dependencies]\nmt-proto.workspace = true\n");
        check(&RULE, &[("crates/mt-ipc/Cargo.toml", &ipc)], &[]);
        let ipc = manifest("mt-ipc", "[dev-dependencies]\nmt-pool.workspace = true\n");
        check(
            &RULE,
            &[("crates/mt-ipc/Cargo.toml", &ipc)],
            &["crates/mt-ipc/Cargo.toml:4"],
        );
        let pool = manifest(
            "mt-pool",
            "[dependencies]\nmt-benches = { path = \"../x\" }\n",
        );
        check(
            &RULE,
            &[("crates/mt-pool/Cargo.toml", &pool)],
            &["crates/mt-pool/Cargo.toml:4"],
        );
        check(
            &RULE,
            &[("a/Cargo.toml", &manifest("mt-new", ""))],
            &["a/Cargo.toml:1"],
        );
        check(
            &RULE,
            &[("Cargo.toml", "[workspace.dependencies]\nmt-pool = \"1\"\n")],
            &[],
        );
    }
}

//! Rule: our crates depend on each other in one direction only.

use super::{Findings, Rule, Tree, manifest::Kind};

pub(super) const RULE: Rule = Rule {
    name: "arrows",
    demands: "our crates depend downwards only: mt-beehive -> mt-pool -> mt-ipc -> mt-proto; \
              mt-macros, mt-test-kit (but for its macros) and xtask on none of ours; nothing on xtask or mt-benches; on mt-test-kit \
              for tests and benches alone",
    check,
};

/// Each of our packages, and the ones of ours that it may depend on, for its tests too.
const ARROWS: &[(&str, &str)] = &[
    ("mt-proto", ""),
    ("mt-macros", ""),
    ("mt-test-kit-macros", ""),
    (TEST_KIT, "mt-test-kit-macros"),
    ("mt-ipc", "mt-proto"),
    ("mt-pool", "mt-proto mt-ipc mt-macros"),
    ("mt-beehive", "mt-proto mt-ipc mt-macros mt-pool"),
    ("mt-context", "mt-pool mt-beehive"),
    ("mt-service-example", "mt-pool mt-beehive"),
    (
        "mt-benches",
        "mt-proto mt-ipc mt-macros mt-pool mt-beehive mt-test-kit",
    ),
    ("procspawn-peer", ""),
    ("xtask", ""),
];

/// What every crate's tests may have, and nothing else of it.
const TEST_KIT: &str = "mt-test-kit";

fn check(tree: &Tree, found: &mut Findings) {
    let is_ours = |name: &str| ARROWS.iter().any(|(ours, _)| *ours == name);
    for manifest in &tree.manifests {
        let (path, package) = (&manifest.path, &manifest.package);
        let arrows = ARROWS.iter().find(|(name, _)| name == package);
        if arrows.is_none() && !package.is_empty() {
            let message = format!("give `{package}` a line in ARROWS in xtask's arrows.rs");
            found.add(path, 1, message);
        }
        let Some((_, allowed)) = arrows else { continue };
        for dependency in &manifest.dependencies {
            let name = &dependency.name;
            // On itself for the features that its own tests and examples need.
            let is_allowed = name == package || allowed.split(' ').any(|one| one == name);
            if is_ours(name) && !is_allowed && !(name == TEST_KIT && dependency.kind == Kind::Dev) {
                let message = format!(
                    "{package} must not depend on {name}: move what it needs down, or the use of it up"
                );
                found.add(path, dependency.line, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[track_caller]
    fn check(package: &str, dependencies: &str) {
        let text = format!("[package]\nname = \"{package}\"\n{dependencies}");
        RULE.check(&[("a/Cargo.toml", &text)]);
    }

    /// Case D1: Crates depend only on those below them.
    #[test]
    fn upward_and_unknown_arrows_are_found() {
        check("mt-ipc", "[dependencies]\nmt-proto.workspace = true");
        check("mt-ipc", "[dev-dependencies]\nmt-pool.workspace = true ~~");
        check(
            "mt-pool",
            "[dependencies]\nmt-benches = { path = \"../x\" } ~~",
        );
        check("mt-ipc", "[dev-dependencies]\nmt-test-kit.workspace = true");
        check("mt-ipc", "[dependencies]\nmt-test-kit.workspace = true ~~");
        RULE.check(&[("a/Cargo.toml", "[package] ~~\nname = \"mt-new\"")]);
        RULE.check(&[("Cargo.toml", "[workspace.dependencies]\nmt-pool = \"1\"")]);
    }
}

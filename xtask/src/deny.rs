//! What may come in from outside, by the lists of `deny.toml`: licences, banned crates, wildcards, registries.
//!
//! What needs no network of what cargo-deny checks, which would have to be built first. The hosted workflow runs
//! cargo-deny itself, for vulnerabilities, and by the same file.

mod licence;
mod policy;

use std::fs;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::step;
use policy::Policy;

/// Every package of the tree, on all systems and with all features, against the lists.
pub(crate) fn run() -> Result<()> {
    let text = fs::read_to_string(step::root().join("deny.toml"));
    let policy = Policy::read(&text.context("failed to read deny.toml")?)?;
    let metadata = "metadata --format-version 1 --all-features --locked";
    let metadata = step::output(step::cargo(metadata))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cargo's answer")?;
    let found = complaints(&policy, &metadata.packages);
    ensure!(found.is_empty(), "{}", found.join("\n"));
    println!("deny: {} packages may come in", metadata.packages.len());
    Ok(())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// None of ours.
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    source: Option<String>,
}

/// What is against the lists.
fn complaints(policy: &Policy, packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .flat_map(|package| of_one(policy, package))
        .collect()
}

fn of_one(policy: &Policy, package: &Package) -> Vec<String> {
    let (name, version) = (&package.name, &package.version);
    let mut found = Vec::new();
    if let Some(reason) = policy.ban_of(name) {
        found.push(format!("{name} {version} is banned: {reason}"));
    }
    match &package.license {
        None => found.push(format!("{name} {version} names no licence")),
        Some(licence) if !policy.allows(name, licence) => {
            found.push(format!(
                "{name} {version}: `{licence}` is not among the licences that deny.toml allows"
            ));
        }
        Some(_) => {}
    }
    match &package.source {
        Some(source) if !policy.has_source(source) => {
            found.push(format!("{name} {version} comes from {source}"));
        }
        Some(_) => {}
        None => {
            let wild = package.dependencies.iter();
            let wild = wild.filter(|it| it.req == "*" && it.source.is_some());
            found.extend(wild.map(|it| format!("{name} has any version of {}", it.name)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Package, Policy, complaints};

    const POLICY: &str = r#"
        [licenses]
        allow = ["MIT"]
        exceptions = [{ crate = "odd", allow = ["CC0-1.0"] }]
        [bans]
        deny = [{ name = "bad", reason = "abandoned" }]
        [sources]
        allow-registry = ["https://here"]
    "#;

    #[track_caller]
    fn check(name: &str, licence: Option<&str>, source: Option<&str>, expected: &[&str]) {
        let dependency = json!({"name": "x", "req": "*", "source": "registry+https://here"});
        let package = json!({
            "name": name, "version": "1.0.0", "license": licence, "source": source, "dependencies": [dependency],
        });
        let package: Package = serde_json::from_value(package).expect("it is a package");
        let policy = Policy::read(POLICY).expect("it is a policy");
        assert_eq!(complaints(&policy, &[package]), expected);
    }

    /// Case D36: A licence, a crate, a registry or a wildcard that `deny.toml` does not allow is found without a network.
    #[test]
    fn what_may_not_come_in_is_found() {
        let here = Some("registry+https://here");
        check("good", Some("MIT OR GPL-3.0"), here, &[]);
        check("odd", Some("CC0-1.0"), here, &[]);
        let told = "other 1.0.0: `CC0-1.0` is not among the licences that deny.toml allows";
        check("other", Some("CC0-1.0"), here, &[told]);
        check("none", None, here, &["none 1.0.0 names no licence"]);
        check(
            "bad",
            Some("MIT"),
            here,
            &["bad 1.0.0 is banned: abandoned"],
        );
        for source in ["registry+https://there", "git+https://here"] {
            let told = format!("far 1.0.0 comes from {source}");
            check("far", Some("MIT"), Some(source), &[&told]);
        }
        check("ours", Some("MIT"), None, &["ours has any version of x"]);
    }
}

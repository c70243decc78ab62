//! `cargo xtask alone`: each library, and each of its features, compiles by itself, as its users build it: without what the
//! workspace's other crates and its own tests switch on.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::step::{self, Step};

/// Checks each library by itself: with its default features, with each feature alone, and with all
///
/// What is published is checked, and warnings are errors.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this crate
    #[arg(long, value_name = "CRATE")]
    package: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let metadata = step::output(step::cargo(
        "metadata --format-version 1 --no-deps --locked",
    ))?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("cargo's answer")?;
    let lines = metadata.packages.iter().flat_map(lines);
    let asked = |line: &String| {
        let named = args.package.as_ref();
        named.is_none_or(|name| line.contains(&format!(" {name} ")))
    };
    step::run_all(lines.filter(asked).map(check).collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    features: BTreeMap<String, Vec<String>>,
    /// The registries that it may go to: none, if it is not published.
    publish: Option<Vec<String>>,
}

fn check(line: String) -> Step {
    let mut cargo = step::cargo(&line);
    // Beside what others build, whose flags are others.
    cargo.env("CARGO_TARGET_DIR", step::target().join("alone"));
    cargo.env("RUSTFLAGS", "-D warnings");
    Step::command(line, cargo)
}

/// The words for cargo, a line for each check of a package.
fn lines(package: &Package) -> Vec<String> {
    if package.publish.is_some() {
        return Vec::new();
    }
    let name = &package.name;
    let features: Vec<&String> = package
        .features
        .keys()
        .filter(|it| *it != "default")
        .collect();
    let mut lines = vec![format!("check --lib -p {name} --locked")];
    lines.extend(
        features.iter().map(|it| {
            format!("check --lib -p {name} --locked --no-default-features --features {it}")
        }),
    );
    if features.len() > 1 {
        lines.push(format!("check --lib -p {name} --locked --all-features"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Package, lines};

    #[track_caller]
    fn check(features: &str, publish: &str, expected: &[&str]) {
        let text = format!(r#"{{"name": "a", "features": {features}, "publish": {publish}}}"#);
        let package: Package = serde_json::from_str(&text).expect("it is a package");
        let expected = expected.iter();
        let expected = expected.map(|it| format!("check --lib -p a --locked{it}"));
        assert_eq!(lines(&package), expected.collect::<Vec<_>>());
    }

    /// Case D37: Each library is checked by itself, with each of its features alone and with all.
    #[test]
    fn each_feature_is_checked_alone() {
        check("{}", "null", &[""]);
        check("{}", "[]", &[]);
        let one = " --no-default-features --features x";
        check(r#"{"x": []}"#, "null", &["", one]);
        let two = " --no-default-features --features y";
        check(
            r#"{"x": [], "y": ["x"], "default": ["x"]}"#,
            "null",
            &["", one, two, " --all-features"],
        );
    }
}

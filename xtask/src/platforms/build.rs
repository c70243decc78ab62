//! Building, once, what is to be run: test programs and examples, and where they lie.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// A program that cargo has built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// The folder of its package.
    pub(super) package: PathBuf,
    name: String,
    pub(super) path: PathBuf,
}

/// The programs that cargo has built.
#[derive(Debug)]
pub(super) struct Programs(Vec<Program>);

impl Programs {
    /// Builds them by this `cargo build`.
    pub(super) fn build(mut cargo: Command) -> Result<Self> {
        cargo.arg("--message-format=json-render-diagnostics");
        cargo.stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = cargo.output().context("failed to start cargo")?;
        ensure!(
            output.status.success(),
            "cargo ended with {}",
            output.status
        );
        Ok(Self::of(&String::from_utf8_lossy(&output.stdout)))
    }

    fn of(messages: &str) -> Self {
        let read = messages.lines().map(serde_json::from_str::<Message>);
        Self(read.flatten().filter_map(Message::program).collect())
    }

    /// The one of this name in the package of this folder.
    pub(super) fn get(&self, package: &str, name: &str) -> Result<&Program> {
        let mut all = self.0.iter();
        let found = all.find(|it| it.name == name && it.package.ends_with(package));
        found.with_context(|| format!("cargo has built no {name} of {package}"))
    }
}

/// A line of cargo's; most of them are about libraries.
#[derive(Deserialize)]
struct Message {
    manifest_path: PathBuf,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Message {
    fn program(self) -> Option<Program> {
        Some(Program {
            package: self.manifest_path.parent()?.to_owned(),
            name: self.target.name,
            path: self.executable?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Programs;

    #[test]
    fn programs_are_found_by_package_and_name() {
        let built = |package: &str, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/w/crates/{package}/Cargo.toml",
                "target":{{"name":"processes","kind":["test"]}},"executable":{executable}}}"#
            )
            .replace('\n', " ")
        };
        let messages = [
            built("mt-ipc", "null"),
            built("mt-ipc", r#""/t/a.exe""#),
            r#"{"reason":"build-finished","success":true}"#.into(),
            built("mt-pool", r#""/t/b.exe""#),
        ];
        let programs = Programs::of(&messages.join("\n"));
        let path = |package| {
            Some(
                programs
                    .get(package, "processes")
                    .ok()?
                    .path
                    .to_str()?
                    .to_owned(),
            )
        };
        assert_eq!(path("mt-ipc").as_deref(), Some("/t/a.exe"));
        assert_eq!(path("mt-pool").as_deref(), Some("/t/b.exe"));
        assert_eq!(path("pool"), None);
        assert!(programs.get("mt-pool", "conformance").is_err());
    }
}

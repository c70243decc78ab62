//! The dependencies in a `Cargo.toml`, with line numbers.

use toml::de::{DeTable, DeValue};

/// One manifest.
#[derive(Default)]
pub(super) struct Manifest {
    /// Path from the workspace's root, with `/`.
    pub(super) path: String,
    /// The package's name; empty for the workspace's own manifest.
    pub(super) package: String,
    /// None if it is not TOML: cargo says so.
    pub(super) dependencies: Vec<Dependency>,
}

/// One dependency.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) line: usize,
    /// In `[workspace.dependencies]`.
    pub(super) is_workspace_table: bool,
    /// Takes its version from there.
    pub(super) is_inherited: bool,
    /// One of our own crates: it has a `path`.
    pub(super) is_local: bool,
    pub(super) kind: Kind,
}

/// What needs a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    /// Tests, examples and benches.
    Dev,
    /// The build script.
    Build,
}

impl Manifest {
    pub(super) fn new(path: String, text: &str) -> Self {
        let mut manifest = Self {
            path,
            ..Self::default()
        };
        if let Ok(table) = DeTable::parse(text) {
            let package = table.get_ref().get("package");
            let name = package.and_then(|package| package.get_ref().get("name"));
            let name = name.and_then(|name| name.get_ref().as_str());
            manifest.package = name.unwrap_or_default().to_owned();
            manifest.take(text, "", table.get_ref());
            let dependencies = &mut manifest.dependencies;
            dependencies.sort_by_key(|dependency| dependency.line);
        }
        manifest
    }

    /// Takes the dependencies of a table, and of those in it.
    fn take(&mut self, text: &str, name: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let Some(inner) = value.get_ref().as_table() else {
                continue;
            };
            if !key.get_ref().ends_with("dependencies") {
                self.take(text, key.get_ref(), inner);
                continue;
            }
            let kind = match key.get_ref().as_ref() {
                "dev-dependencies" => Kind::Dev,
                "build-dependencies" => Kind::Build,
                _ => Kind::Normal,
            };
            self.dependencies.extend(inner.iter().map(|(key, source)| {
                let option =
                    |option: &str| source.get_ref().get(option).map(|value| value.get_ref());
                Dependency {
                    name: key.get_ref().to_string(),
                    line: 1 + text[..key.span().start].matches('\n').count(),
                    is_workspace_table: name == "workspace",
                    is_inherited: option("workspace").and_then(DeValue::as_bool) == Some(true),
                    is_local: option("path").is_some(),
                    kind,
                }
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let manifest = Manifest::new("Cargo.toml".into(), text);
        let found = manifest.dependencies.iter().map(|found| {
            let marks = [
                (found.is_inherited, " inherited"),
                (found.is_local, " local"),
                (found.is_workspace_table, " shared"),
            ];
            let marks = marks
                .iter()
                .filter(|(is_so, _)| *is_so)
                .map(|(_, mark)| *mark);
            format!("{} {}{}", found.line, found.name, marks.collect::<String>())
        });
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_way_to_write_a_dependency_is_read() {
        check(
            "[dependencies]\na.workspace = true\n\
             b = { workspace = true, features = [\n  \"x\",\n] }\nc = \"1\"\n",
            &["2 a inherited", "3 b inherited", "6 c"],
        );
        let target = "[target.'cfg(unix)'.dev-dependencies]\nd = { path = \"../d\" }\n";
        check(target, &["2 d local"]);
        check("[dependencies.e]\nworkspace = true\n", &["1 e inherited"]);
        let workspace = "# [dependencies]\n[workspace.dependencies]\nf = \"1\" # why\n";
        check(workspace, &["3 f shared"]);
        check("[features]\ng = []\n[lints]\nworkspace = true\n", &[]);
    }

    #[test]
    fn the_package_name_is_read() {
        let manifest = Manifest::new("Cargo.toml".into(), "[package]\nname = \"a\"\n");
        assert_eq!(manifest.package, "a");
    }
}

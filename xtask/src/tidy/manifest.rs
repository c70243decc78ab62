//! The dependency lines of a `Cargo.toml`, with line numbers.
//!
//! It reads what our manifests use (tables, one key a line, values over several lines, dotted
//! keys), not all of TOML; cargo itself has the last word on whether a manifest is well formed.

/// One manifest.
pub(super) struct Manifest {
    /// Path from the workspace's root, with `/`.
    pub(super) path: String,
    /// The package's name; empty for the workspace's own manifest.
    pub(super) package: String,
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
}

impl Manifest {
    pub(super) fn new(path: String, text: &str) -> Self {
        let mut manifest = Self {
            path,
            package: String::new(),
            dependencies: Vec::new(),
        };
        let mut table = String::new();
        let mut depth = 0_isize;
        for (number, line) in text.lines().enumerate() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let is_inside_value = depth > 0;
            if line.starts_with('#') {
                continue;
            }
            if !is_inside_value && line.starts_with('[') {
                table = line.trim_matches(['[', ']']).to_owned();
                manifest.header(&table, number + 1);
                continue;
            }
            depth += brackets(line);
            if let (false, Some((key, value))) = (is_inside_value, line.split_once('=')) {
                manifest.entry(&table, number + 1, (key.trim(), value.trim()));
            }
        }
        manifest
    }

    /// A table's header: `[dependencies.name]` is a dependency already.
    fn header(&mut self, table: &str, line: usize) {
        if let Some((parent, name)) = table.rsplit_once('.')
            && parent.ends_with("dependencies")
        {
            self.dependencies.push(Dependency {
                name: unquoted(name),
                line,
                is_workspace_table: parent == "workspace.dependencies",
                is_inherited: false,
                is_local: false,
            });
        }
    }

    /// A line `key = value` of `table`.
    fn entry(&mut self, table: &str, line: usize, (key, value): (&str, &str)) {
        if table == "package" && key == "name" {
            self.package = unquoted(value);
        } else if table.ends_with("dependencies") {
            let (name, inherits) = match key.split_once('.') {
                Some((name, rest)) => (name, rest == "workspace"),
                None => (key, value.replace(' ', "").contains("workspace=true")),
            };
            self.dependencies.push(Dependency {
                name: unquoted(name),
                line,
                is_workspace_table: table == "workspace.dependencies",
                is_inherited: inherits,
                is_local: value.replace(' ', "").contains("path=\""),
            });
        } else if let Some((parent, name)) = table.rsplit_once('.')
            && parent.ends_with("dependencies")
            && let Some(last) = self.dependencies.last_mut()
            && last.name == unquoted(name)
        {
            last.is_inherited |= key == "workspace" && value == "true";
            last.is_local |= key == "path";
        }
    }
}

/// How many brackets a line opens and leaves open.
fn brackets(line: &str) -> isize {
    let count = |marks: [char; 2]| {
        line.chars()
            .filter(|c| marks.contains(c))
            .count()
            .cast_signed()
    };
    count(['[', '{']) - count([']', '}'])
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    fn check(text: &str, expected: &[&str]) {
        let manifest = Manifest::new("Cargo.toml".into(), text);
        let mark = |yes: bool, word: &'static str| if yes { word } else { "" };
        let found: Vec<String> = manifest
            .dependencies
            .iter()
            .map(|d| {
                let (a, b) = (
                    mark(d.is_inherited, " inherited"),
                    mark(d.is_local, " local"),
                );
                format!(
                    "{} {}{a}{b}{}",
                    d.line,
                    d.name,
                    mark(d.is_workspace_table, " shared")
                )
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_way_to_write_a_dependency_is_read() {
        check(
            "[dependencies]\na.workspace = true\n\
             b = { workspace = true, features = [\n  \"x\",\n] }\nc = \"1\"\n",
            &["2 a inherited", "3 b inherited", "6 c"],
        );
        check(
            "[target.'cfg(unix)'.dev-dependencies]\nd = { path = \"../d\" }\n",
            &["2 d local"],
        );
        check("[dependencies.e]\nworkspace = true\n", &["1 e inherited"]);
        check(
            "# [dependencies]\n[workspace.dependencies]\nf = \"1\" # why\n",
            &["3 f shared"],
        );
        check("[features]\ng = []\n[lints]\nworkspace = true\n", &[]);
    }

    #[test]
    fn the_package_name_is_read() {
        assert_eq!(
            Manifest::new("Cargo.toml".into(), "[package]\nname = \"a\"\n").package,
            "a"
        );
    }
}

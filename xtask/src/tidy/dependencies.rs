//! Rule: every dependency is chosen once, for a written reason.

use std::collections::BTreeMap;

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "dependencies",
    demands: "crates write `name.workspace = true`; each foreign key of [workspace.dependencies] \
              has a row in docs/dependencies.md, and each row a key",
    check,
};

const TABLE: &str = "docs/dependencies.md";

fn check(tree: &Tree, found: &mut Findings) {
    let page = tree.markdown_file(TABLE);
    let rows = page.map(|page| rows(&page.text)).unwrap_or_default();
    let mut unclaimed = rows.clone();
    for manifest in &tree.manifests {
        for dependency in &manifest.dependencies {
            let name = dependency.name.as_str();
            if !dependency.is_workspace_table && !dependency.is_inherited {
                let message = format!(
                    "write `{name}.workspace = true`, with the version in [workspace.dependencies]"
                );
                found.add(&manifest.path, dependency.line, message);
            }
            if dependency.is_workspace_table && !dependency.is_local {
                unclaimed.remove(name);
                if !rows.contains_key(name) {
                    let message = format!("give `{name}` a row in {TABLE}: what for, why this one");
                    found.add(&manifest.path, dependency.line, message);
                }
            }
        }
    }
    for (name, line) in unclaimed {
        let message = format!("`{name}` is not in [workspace.dependencies]: take the row out");
        found.add(TABLE, line, message);
    }
}

/// The names in backticks that rows of a table start with, and their lines.
fn rows(text: &str) -> BTreeMap<&str, usize> {
    let names = text.lines().enumerate().filter_map(|(number, line)| {
        let (name, _) = line.trim().strip_prefix("| `")?.split_once('`')?;
        Some((name, number + 1))
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::RULE;

    /// Case D33: Each dependency has a row that says what it is for, and each row a dependency.
    #[test]
    fn keys_and_rows_must_match() {
        let root = "[workspace.dependencies]\nmt-a = { path = \"a\" }\nb = \"1\"";
        let table = "| dependency | what for |\n|---|---|\n| `b` | it |\n";
        RULE.check(&[("Cargo.toml", root), ("docs/dependencies.md", table)]);
        RULE.check(&[("Cargo.toml", &format!("{root} ~~"))]);
        let table = format!("{table}| `c` | nothing | ~~");
        RULE.check(&[("Cargo.toml", root), ("docs/dependencies.md", &table)]);
    }

    #[test]
    fn crates_inherit() {
        for dependency in [
            "b.workspace = true",
            "b = \"1\" ~~",
            "b = { path = \"../b\" } ~~",
        ] {
            for kind in ["dependencies", "dev-dependencies"] {
                RULE.check(&[("a/Cargo.toml", &format!("[{kind}]\n{dependency}"))]);
            }
        }
    }
}

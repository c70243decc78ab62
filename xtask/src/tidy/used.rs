//! Rule: what is declared is used.

use std::collections::BTreeSet;

use super::{Findings, Rule, RustFile, Tree, manifest::Kind};

pub(super) const RULE: Rule = Rule {
    name: "used",
    demands: "a crate's sources name each of its dependencies, its tests, examples or benches each that is \
              for those alone, its build script what that has; each key of [workspace.dependencies] is \
              some crate's",
    check,
};

fn check(tree: &Tree, found: &mut Findings) {
    let mut inherited = BTreeSet::new();
    for manifest in tree.manifests.iter().filter(|it| !it.package.is_empty()) {
        let used = Used::of(tree, &manifest.path);
        for dependency in &manifest.dependencies {
            let (name, kind) = (dependency.name.as_str(), dependency.kind);
            inherited.insert(name);
            // A crate has itself for the features that its tests need.
            if name != manifest.package && !used.has(kind, &name.replace('-', "_")) {
                let message = format!("nothing {} names `{name}`: take it out", where_of(kind));
                found.add(&manifest.path, dependency.line, message);
            }
        }
    }
    for manifest in &tree.manifests {
        let table = manifest.dependencies.iter();
        for dependency in table.filter(|it| it.is_workspace_table) {
            if !inherited.contains(dependency.name.as_str()) {
                let message = format!("no crate has `{}`: take it out", dependency.name);
                found.add(&manifest.path, dependency.line, message);
            }
        }
    }
}

fn where_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Normal => "in the sources, but for their tests,",
        Kind::Dev => "in tests, examples, benches and documentation",
        Kind::Build => "in the build script",
    }
}

/// The crates that a package's code names, by what the code is for.
#[derive(Default)]
struct Used {
    normal: BTreeSet<String>,
    dev: BTreeSet<String>,
    build: BTreeSet<String>,
}

impl Used {
    /// What the files below a manifest's folder name.
    fn of(tree: &Tree, manifest: &str) -> Self {
        let folder = manifest.trim_end_matches("Cargo.toml");
        let deeper: Vec<&str> = tree
            .manifests
            .iter()
            .map(|it| it.path.trim_end_matches("Cargo.toml"))
            .collect();
        let is_of = |path: &str| {
            let inner = |other: &&str| other.len() > folder.len() && other.starts_with(folder);
            path.starts_with(folder)
                && !deeper
                    .iter()
                    .filter(|it| inner(it))
                    .any(|it| path.starts_with(it))
        };
        let mut used = Self::default();
        for file in tree.rust.iter().filter(|file| is_of(&file.path)) {
            used.take(file, &file.path[folder.len()..]);
        }
        used
    }

    fn take(&mut self, file: &RustFile, path: &str) {
        let is_source = path.starts_with("src/");
        // All of the test kit counts as tests elsewhere.
        let is_kit = file.path.starts_with("crates/mt-test-kit/");
        for named in file.paths() {
            let is_alone = named.segments.len() == 1 && !file.follows(named.start, &["use"]);
            let Some(first) = named.segments.first().filter(|_| !is_alone) else {
                continue;
            };
            let names = match () {
                () if path == "build.rs" => &mut self.build,
                () if is_source && (is_kit || !named.in_test) => &mut self.normal,
                () => &mut self.dev,
            };
            names.insert(first.clone());
        }
        let docs = file.comments.iter().map(|comment| comment.text.as_str());
        for doc in docs.filter(|text| text.starts_with("///") || text.starts_with("//!")) {
            let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
            let paths = doc.match_indices("::").map(|(at, _)| &doc[..at]);
            let crates = paths.filter_map(|before| before.rsplit(is_end).next());
            self.dev.extend(crates.map(str::to_owned));
        }
    }

    fn has(&self, kind: Kind, name: &str) -> bool {
        let names = match kind {
            Kind::Normal => &self.normal,
            Kind::Build => &self.build,
            // What is a source on one system may be for tests alone on another.
            Kind::Dev if self.normal.contains(name) => return true,
            Kind::Dev => &self.dev,
        };
        names.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[track_caller]
    fn check(manifest: &str, files: &[(&str, &str)]) {
        let manifest = format!("[package]\nname = \"a\"\n{manifest}");
        let mut all = vec![("crates/a/Cargo.toml", manifest.as_str())];
        all.extend(files);
        RULE.check(&all);
    }

    /// Case D35: A dependency that is declared and not used is found.
    #[test]
    fn each_kind_is_for_its_own_code() {
        let source = "use some_b::C;";
        for (path, kind) in [
            ("src/lib.rs", "dependencies"),
            ("src/x/y.rs", "dependencies"),
            ("tests/t.rs", "dev-dependencies"),
            ("examples/e/main.rs", "dev-dependencies"),
            ("build.rs", "build-dependencies"),
        ] {
            let path = format!("crates/a/{path}");
            for other in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let is_used =
                    other == kind || (other, kind) == ("dev-dependencies", "dependencies");
                let mark = if is_used { "" } else { " ~~" };
                for table in [other.to_owned(), format!("target.'cfg(unix)'.{other}")] {
                    let manifest = format!("[{table}]\nsome-b.workspace = true{mark}");
                    check(&manifest, &[(&path, source)]);
                }
            }
        }
    }

    #[test]
    fn a_name_counts_where_it_is_a_crates() {
        for (source, mark) in [
            ("fn f() { b::c!() }", ""),
            ("#[derive(b::C)] struct S;", ""),
            ("use b;", ""),
            ("/// `b::C` of b\nfn f(b: u8) -> u8 { b }", " ~~"),
            ("#[cfg(test)] mod tests { use b::C; }", " ~~"),
        ] {
            let manifest = format!("[dependencies]\nb.workspace = true{mark}");
            check(&manifest, &[("crates/a/src/lib.rs", source)]);
        }
        let manifest = "[dev-dependencies]\nb.workspace = true\na.workspace = true";
        for source in ["//! # use b::C;", "#[cfg(test)] mod tests { use b::C; }"] {
            check(manifest, &[("crates/a/src/lib.rs", source)]);
        }
        let inner = [
            ("crates/a/in/Cargo.toml", "[package]\nname = \"in\""),
            ("crates/a/in/src/lib.rs", "use b::C;"),
        ];
        check("[dependencies]\nb.workspace = true ~~", &inner);
    }

    #[test]
    fn the_workspace_has_what_crates_have() {
        let root = "[workspace.dependencies]\nb = \"1\"\nc = \"1\" ~~";
        let files = [("Cargo.toml", root), ("crates/a/src/lib.rs", "use b::C;")];
        check("[dependencies]\nb.workspace = true", &files);
    }
}

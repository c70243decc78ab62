//! Which file of a crate names which other file of that crate, by a path to its module.
//!
//! A path leads to the deepest module on it that has a file of its own. What a file publishes of the
//! modules below it (`pub use child::Item`) is no import: that is how the file of a folder works.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::rust_file::{NamedPath, RustFile};
use super::tree::Tree;

/// One place in a file that names another one.
pub(super) struct Import<'a> {
    pub(super) from: &'a RustFile,
    pub(super) to: &'a RustFile,
    pub(super) line: usize,
    /// As written, without braces and with its prefix.
    pub(super) path: String,
}

/// All imports between the source files of each crate, tests left out.
pub(super) fn imports(tree: &Tree) -> Vec<Import<'_>> {
    let modules = Modules::of(tree);
    let files = modules.files.iter();
    files
        .flat_map(|(module, file)| modules.imports_of(module, file))
        .collect()
}

/// The module that a file is, written as a path: its own without `.rs`, for a crate's root `…/src`.
pub(super) fn module_of(file: &RustFile) -> &str {
    let module = file.path.trim_end_matches(".rs");
    module.strip_suffix("/lib").unwrap_or(module)
}

/// The modules of all crates that have files, without those of tests.
struct Modules<'a> {
    files: BTreeMap<&'a str, &'a RustFile>,
}

impl<'a> Modules<'a> {
    fn of(tree: &'a Tree) -> Self {
        let sources = || tree.rust.iter().filter(|file| file.is_crate_source());
        let tests: BTreeSet<String> = sources().flat_map(test_modules).collect();
        let is_test = |module: &str| {
            let mut ends = module.match_indices('/').map(|(end, _)| &module[..end]);
            tests.contains(module) || ends.any(|above| tests.contains(above))
        };
        let files = sources()
            .filter(|file| !file.is_test())
            .map(|file| (module_of(file), file))
            .filter(|(module, _)| !is_test(module));
        Self {
            files: files.collect(),
        }
    }

    fn imports_of(&self, module: &str, file: &'a RustFile) -> Vec<Import<'a>> {
        let inline = inline_modules(file);
        let published = published(file);
        let mut found = Vec::new();
        for path in file.paths().into_iter().filter(|path| !path.in_test) {
            let scope = inline
                .iter()
                .filter(|(range, _)| range.contains(&path.start))
                .fold(module.to_owned(), |scope, (_, name)| {
                    format!("{scope}/{name}")
                });
            let Some(to) = self.target(&scope, &path).filter(|to| to.path != file.path) else {
                continue;
            };
            let is_below = module_of(to).starts_with(&format!("{module}/"));
            let is_published = published.iter().any(|range| range.contains(&path.start));
            if is_visibility(file, &path) || (is_below && is_published) {
                continue;
            }
            found.push(Import {
                from: file,
                to,
                line: path.line,
                path: path.segments.join("::"),
            });
        }
        found
    }

    /// The file that a path in the module `scope` leads to.
    fn target(&self, scope: &str, path: &NamedPath) -> Option<&'a RustFile> {
        let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        let (first, rest) = segments
            .split_first()
            .filter(|(_, rest)| !rest.is_empty())?;
        let mut module = match *first {
            "crate" => scope[..scope.find("/src")? + "/src".len()].to_owned(),
            "self" => scope.to_owned(),
            "super" => parent(scope).to_owned(),
            name => Some(format!("{scope}/{name}")).filter(|m| self.files.contains_key(&**m))?,
        };
        for name in rest {
            match *name {
                "super" => module = parent(&module).to_owned(),
                name => {
                    let below = format!("{module}/{name}");
                    if !self.files.contains_key(&*below) {
                        break;
                    }
                    module = below;
                }
            }
        }
        // A module within a file has none of its own.
        while !self.files.contains_key(&*module) && module.contains('/') {
            module = parent(&module).to_owned();
        }
        self.files.get(&*module).copied()
    }
}

fn parent(module: &str) -> &str {
    module.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The modules that a file declares for tests alone.
fn test_modules(file: &RustFile) -> Vec<String> {
    let declared = (0..file.tokens.len())
        .filter(|&at| file.tokens_are(at, &["mod"]) && file.tokens_are(at + 2, &[";"]));
    declared
        .filter(|&at| file.tokens[at].in_test)
        .map(|at| format!("{}/{}", module_of(file), file.tokens[at + 1].text))
        .collect()
}

/// The bodies of modules within the file, outer ones first, and their names.
fn inline_modules(file: &RustFile) -> Vec<(Range<usize>, &str)> {
    let opened = (0..file.tokens.len())
        .filter(|&at| file.tokens_are(at, &["mod"]) && file.tokens_are(at + 2, &["{"]));
    opened
        .map(|at| {
            let name = file.tokens[at + 1].text.as_str();
            (at + 2..file.closing(at + 2), name)
        })
        .collect()
}

/// The `use` items that are visible outside the file.
fn published(file: &RustFile) -> Vec<Range<usize>> {
    let is_published = |at: usize| {
        at > 0 && (file.tokens_are(at - 1, &["pub"]) || file.tokens_are(at - 1, &[")"]))
    };
    (0..file.tokens.len())
        .filter(|&at| file.tokens_are(at, &["use"]) && is_published(at))
        .map(|at| {
            let length = file.tokens[at..].iter().take_while(|t| t.text != ";");
            at..at + length.count()
        })
        .collect()
}

/// Whether the path is the one of a `pub(in path)`.
fn is_visibility(file: &RustFile, path: &NamedPath) -> bool {
    path.start >= 3 && file.tokens_are(path.start - 3, &["pub", "(", "in"])
}

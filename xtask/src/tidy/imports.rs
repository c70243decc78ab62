//! Which file of a crate names which other file of that crate, by a path to its module.
//!
//! A path leads to the deepest module on it that has a file of its own. What a file publishes of the
//! modules below it (`pub use child::Item`) is no import: that is how the file of a folder works.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{NamedPath, RustFile, Tree};

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
    let tests: BTreeSet<String> = tree.sources().flat_map(test_modules).collect();
    let is_test = |file: &&RustFile| tests.iter().any(|test| is_below(file.module(), test));
    let files = tree.sources().filter(|file| !is_test(file));
    let files: Files = files.map(|file| (file.module(), file)).collect();
    files
        .values()
        .flat_map(|file| imports_of(file, &files))
        .collect()
}

/// The module that holds another one.
pub(super) fn parent(module: &str) -> &str {
    module.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Whether a module is another one, or in it.
pub(super) fn is_below(module: &str, above: &str) -> bool {
    let rest = module.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The files of all crates by their modules.
type Files<'a> = BTreeMap<&'a str, &'a RustFile>;

fn imports_of<'a>(file: &'a RustFile, files: &Files<'a>) -> Vec<Import<'a>> {
    let inner: Vec<_> = bodies(file).collect();
    let published: Vec<_> = published(file).collect();
    let mut found = Vec::new();
    for path in file.paths().into_iter().filter(|path| !path.in_test) {
        let around = inner.iter().filter(|(body, _)| body.contains(&path.start));
        let names = around.flat_map(|(_, name)| ["/", name]);
        let scope: String = std::iter::once(file.module()).chain(names).collect();
        // Not the path of a `pub(in path)`.
        let is_visibility = path.start >= 3 && file.tokens_are(path.start - 3, &["pub", "(", "in"]);
        let Some(to) = target(files, &scope, &path).filter(|_| !is_visibility) else {
            continue;
        };
        let is_published = published.iter().any(|range| range.contains(&path.start));
        if to.path != file.path && !(is_published && is_below(to.module(), file.module())) {
            found.push(Import {
                from: file,
                to,
                line: path.line,
                path: path.segments.join("::"),
            });
        }
    }
    found
}

/// The file that a path in the module `scope` leads to.
fn target<'a>(files: &Files<'a>, scope: &str, path: &NamedPath) -> Option<&'a RustFile> {
    let mut names = path.segments.iter().map(String::as_str);
    let first = names.next().filter(|_| path.segments.len() > 1)?;
    let mut module = match first {
        "crate" => scope[..scope.find("/src")? + "/src".len()].to_owned(),
        "self" => scope.to_owned(),
        "super" => parent(scope).to_owned(),
        name => Some(format!("{scope}/{name}")).filter(|module| files.contains_key(&**module))?,
    };
    for name in names {
        let next = match name {
            "super" => parent(&module).to_owned(),
            name => format!("{module}/{name}"),
        };
        if name != "super" && !files.contains_key(&*next) {
            break;
        }
        module = next;
    }
    // A module within a file has none of its own.
    let mut around = std::iter::successors(Some(&*module), |module| Some(parent(module)));
    around
        .by_ref()
        .take_while(|module| !module.is_empty())
        .find_map(|module| files.get(module))
        .copied()
}

/// The modules that a file declares for tests alone.
fn test_modules(file: &RustFile) -> Vec<String> {
    let declared = file
        .find(["mod"])
        .filter(|&at| file.tokens_are(at + 2, &[";"]));
    let for_tests = declared.filter(|&at| file.tokens[at].in_test);
    for_tests
        .map(|at| format!("{}/{}", file.module(), file.tokens[at + 1].text))
        .collect()
}

/// The bodies of modules within the file, outer ones first, and their names.
fn bodies(file: &RustFile) -> impl Iterator<Item = (Range<usize>, &str)> {
    let opened = file
        .find(["mod"])
        .filter(|&at| file.tokens_are(at + 2, &["{"]));
    opened.map(|at| (at + 2..file.closing(at + 2), &*file.tokens[at + 1].text))
}

/// The `use` items that are visible outside the file.
fn published(file: &RustFile) -> impl Iterator<Item = Range<usize>> {
    let visible = ["pub", ")"];
    let uses = file
        .find(["use"])
        .filter(move |&at| at > 0 && visible.contains(&&*file.tokens[at - 1].text));
    uses.map(|at| {
        let length = file.tokens[at..]
            .iter()
            .take_while(|token| token.text != ";");
        at..at + length.count()
    })
}

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
    /// Index of the first token of the path.
    pub(super) at: usize,
}

impl Import<'_> {
    pub(super) fn line(&self) -> usize {
        self.from.tokens[self.at].line
    }
}

/// All imports between the source files of each crate, tests left out.
pub(super) fn imports(tree: &Tree) -> Vec<Import<'_>> {
    let tests: BTreeSet<String> = tree.sources().flat_map(test_modules).collect();
    let is_test = |file: &&RustFile| tests.iter().any(|test| is_below(file.module(), test));
    let files = tree.sources().filter(|file| !is_test(file));
    let files: Files = files.map(|file| (file.module(), file)).collect();
    let imports = files.values().map(|file| imports_of(file, &files));
    imports.flatten().collect()
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

fn imports_of<'a>(from: &'a RustFile, files: &Files<'a>) -> Vec<Import<'a>> {
    let inner: Vec<_> = bodies(from).collect();
    let published: Vec<_> = published(from).collect();
    let mut found = Vec::new();
    for path in from.paths().into_iter().filter(|path| !path.in_test) {
        let at = path.start;
        let around = inner.iter().filter(|(body, _)| body.contains(&at));
        let names = around.flat_map(|(_, name)| ["/", name]);
        let scope: String = std::iter::once(from.module()).chain(names).collect();
        let Some(to) = target(files, &scope, &path) else {
            continue;
        };
        let is_published = published.iter().any(|range| range.contains(&at));
        let is_door = is_published && is_below(to.module(), from.module());
        // A `pub(in path)` imports nothing either.
        if to.path != from.path && !is_door && !from.follows(at, &["pub", "(", "in"]) {
            found.push(Import { from, to, at });
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
    let declared = modules(file, ";").filter(|&at| file.tokens[at].in_test);
    let names = declared.map(|at| file.tokens[at].text.as_str());
    let modules = names.map(|name| format!("{}/{name}", file.module()));
    modules.collect()
}

/// The bodies of modules within the file, outer ones first, and their names.
fn bodies(file: &RustFile) -> impl Iterator<Item = (Range<usize>, &str)> {
    let opened = modules(file, "{");
    opened.map(|at| (at..file.closing(at + 1), &*file.tokens[at].text))
}

/// Where the names of modules are that have this behind them.
fn modules(file: &RustFile, end: &'static str) -> impl Iterator<Item = usize> {
    let names = file.find(["mod"]).map(|at| at + 1);
    names.filter(move |at| file.tokens_are(at + 1, &[end]))
}

/// The `use` items that are visible outside the file.
fn published(file: &RustFile) -> impl Iterator<Item = Range<usize>> {
    let is_visible = |at: &usize| file.follows(*at, &["pub"]) || file.follows(*at, &[")"]);
    file.find(["use"]).filter(is_visible).map(|at| {
        let rest = file.tokens[at..].iter();
        at..at + rest.take_while(|token| token.text != ";").count()
    })
}

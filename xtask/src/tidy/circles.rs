//! Rule: who reads a file needs to read downwards only. Files, and folders, do not import in circles.
//!
//! A circle is a set of files, or of folders, of which each reaches each other by imports. A folder
//! is what lies below a module, with the file of that module; between a folder and one inside it
//! imports may go both ways.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Import, imports, parent};
use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "circles",
    demands: "neither files of crates/*/src nor folders import each other in a circle",
    check,
};

/// The two ends of an import, when it can be part of a circle.
type Ends<'a> = Option<(&'a str, &'a str)>;

fn check<'a>(tree: &'a Tree, found: &mut Findings) {
    let imports = imports(tree);
    let folders: BTreeSet<&str> = tree.sources().map(|file| parent(file.module())).collect();
    let folder = |module: &'a str| match folders.contains(module) {
        true => module,
        false => parent(module),
    };
    let between_folders =
        |import: &Import<'a>| apart(folder(import.from.module()), folder(import.to.module()));
    let between_files = |import: &Import<'a>| Some((&*import.from.path, &*import.to.path));
    report("folders", &imports, between_folders, found);
    report("files", &imports, between_files, found);
}

/// Two folders, each up to the first name in which they differ; `None` if one is in the other.
fn apart<'a>(from: &'a str, to: &'a str) -> Ends<'a> {
    let names = from.split('/').zip(to.split('/'));
    let same = names.take_while(|(one, other)| one == other);
    let start: usize = same.map(|(name, _)| name.len() + 1).sum();
    let up_to_it = |path: &'a str| {
        let name = path.get(start..)?.split('/').next()?;
        Some(&path[..start + name.len()])
    };
    Some((up_to_it(from)?, up_to_it(to)?))
}

/// Adds each set of more than one end of whom all reach all, with the imports that make it.
fn report<'a>(
    kind: &str,
    imports: &[Import<'a>],
    ends: impl Fn(&Import<'a>) -> Ends<'a>,
    found: &mut Findings,
) {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in imports.iter().filter_map(&ends) {
        next.entry(from).or_default().insert(to);
    }
    let reached = next.keys().map(|from| (*from, reach(&next, from)));
    let reached: BTreeMap<&str, BTreeSet<&str>> = reached.collect();
    for (&first, all) in &reached {
        let reaches_first = |end: &&str| reached.get(end).is_some_and(|all| all.contains(first));
        let members: Vec<&str> = all.iter().copied().filter(reaches_first).collect();
        // Each circle is found once, from the first of its members.
        if members.len() < 2 || members[0] != first {
            continue;
        }
        let is_inside = |end: &str| members.contains(&end);
        let inside: Vec<_> = imports
            .iter()
            .filter(|import| {
                ends(import).is_some_and(|(from, to)| is_inside(from) && is_inside(to))
            })
            .collect();
        let lines = inside.iter().map(|import| {
            format!(
                "\n    {}:{} -> {}",
                import.from.path,
                import.line(),
                import.to.path
            )
        });
        let (members, lines) = (members.join(", "), lines.collect::<String>());
        let message = format!("a circle of {kind}, {members}: cut one of its imports{lines}");
        found.add(&inside[0].from.path, inside[0].line(), message);
    }
}

/// Everything that can be reached from `from` in one step or more.
fn reach<'a>(next: &BTreeMap<&str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&str> = vec![from];
    while let Some(at) = waiting.pop() {
        let ends = next.get(at).into_iter().flatten();
        let new = ends.filter(|to| found.insert(**to));
        waiting.extend(new);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::RULE;

    /// Checks the files of a crate, each on a line: its path, a colon, its text.
    #[track_caller]
    fn check(files: &str) {
        let files = files
            .lines()
            .map(|line| line.split_once(": ").unwrap_or((line, "")));
        let files: Vec<_> = files
            .map(|(path, text)| (format!("crates/mt-a/src/{path}"), text))
            .collect();
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        RULE.check(&files);
    }

    #[test]
    fn every_way_to_name_a_file_counts() {
        for a in [
            "use crate::b::B; ~~",
            "use super::b::{B, C as D}; ~~",
            "use crate::{a::x, b}; ~~",
            "fn f(b: crate::b::B) {} ~~",
            "fn f() { m!(crate::b::f()); } ~~",
            "mod inner { use super::super::b::B; } ~~",
            "pub use crate::b::B; ~~",
            "fn f() { g::<crate::b::B>(); } ~~",
            "// use crate::b::B;",
            "use other::b::B;",
            "#[cfg(test)] use crate::b::B;",
            "use self::b::B;",
            "mod inner { use super::b::B; }",
        ] {
            check(&format!("a.rs: {a}\nb.rs: use crate::a::A;"));
        }
    }

    #[test]
    fn a_module_may_publish_what_is_below_it() {
        let publishing =
            "a/b.rs: use super::A;\na.rs: mod b; pub use b::B; pub(super) use self::b::{C};";
        check(publishing);
        check(&format!("{publishing} fn f() {{ b::g() }} ~~"));
        check("a.rs: mod b; use b::B;\na/b.rs: pub(in super::super::a) fn f() {}");
        check("lib.rs: mod a; pub mod c { pub use crate::a::A; }\na.rs: use crate::c::A;");
        check("a.rs: use crate::{B};\nlib.rs: use a::A; ~~");
    }

    /// Case D2: There is no circle of imports.
    #[test]
    fn a_circle_of_three_is_one_and_test_modules_are_in_none() {
        let rest = "b.rs: use crate::c::C;\nc.rs: use crate::a::A;\nd.rs: use crate::a::A;";
        check(&format!("a.rs: use crate::b::B; ~~\n{rest}"));
        let tests = "lib.rs: #[cfg(test)] mod c; mod a;";
        check(&format!("a.rs: use crate::b::B;\n{rest}\n{tests}"));
    }

    #[test]
    fn folders_meet_where_their_paths_part() {
        check(
            "a.rs\na/x.rs\na/x/y.rs: use crate::b::z::B; ~~\nb.rs\nb/w.rs: use crate::a::v::A;\na/v.rs\nb/z.rs",
        );
        // A folder and what is in it are not apart.
        let inside = "a/x/y.rs: use crate::a::v::A;\na/u.rs: use super::x::y::B;";
        check(&format!("a.rs\na/v.rs\na/x.rs\n{inside}"));
        // A file without a folder belongs to the one it is in.
        check("b.rs: use crate::a::v::A;\na.rs\na/v.rs\na/x.rs: use crate::b::B;");
    }
}

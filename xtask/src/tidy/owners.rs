//! Rule: things with many pitfalls have one owner each.
//!
//! Local sockets, system figures, process starts and `select!` are each in one known place, so that
//! their pitfalls are handled once and reviewed in one file.

use super::{Findings, Known, NamedPath, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "owners",
    demands: "`interprocess` only under crates/mt-ipc/src/platform*; `sysinfo` in one file of \
              crates/; processes start in one file of mt-ipc; `select!` only in files whose `//!` \
              doc has a line `Loop: …`",
    check,
    known: Known::Nothing,
};

fn check(tree: &Tree, found: &mut Findings) {
    for file in &tree.rust {
        if !file.path.starts_with("crates/mt-ipc/src/platform") {
            let message =
                "only crates/mt-ipc/src/platform* names `interprocess`: use mt-ipc's own types";
            found.add_tokens(file, crate_uses(file, "interprocess"), message);
        }
    }
    let files = tree.rust.iter();
    let ours = files.filter(|file| file.path.starts_with("crates/"));
    let message = "more than one file names `sysinfo`: ask the one that owns it";
    one_owner(ours, message, found, |file| crate_uses(file, "sysinfo"));

    let in_ipc = tree.sources().filter(|file| file.package() == "mt-ipc");
    let message = "more than one file starts processes: ask the one that owns it";
    one_owner(in_ipc, message, found, process_starts);
    for file in tree.sources() {
        if file.package() != "mt-ipc" {
            let message = "only mt-ipc starts processes: use what it offers";
            found.add_tokens(file, process_starts(file), message);
        }
        if !file.has_marker("Loop:") {
            let macros = ["select", "select_biased"].into_iter();
            let calls = macros.flat_map(|name| file.find([name, "!"]));
            found.add_tokens(
                file,
                calls.filter(|&at| !file.tokens[at].in_test),
                "`select!` belongs in a loop's file: move it there, or say `//! Loop: …` what this \
                 loop waits for and why each wait is cancel-safe",
            );
        }
    }
}

/// Adds the first such place of each file, if more than one file has some.
fn one_owner<'a>(
    files: impl Iterator<Item = &'a RustFile>,
    message: &str,
    found: &mut Findings,
    places: impl Fn(&RustFile) -> Vec<usize>,
) {
    let owners = files.filter_map(|file| Some((file, *places(file).first()?)));
    let owners: Vec<_> = owners.collect();
    for (file, at) in owners.iter().filter(|_| owners.len() > 1) {
        found.add_tokens(file, [*at], message);
    }
}

/// Where `name` is named as a crate: in a path or alone in a `use`.
fn crate_uses(file: &RustFile, name: &str) -> Vec<usize> {
    let is_crate = |path: &NamedPath| {
        path.segments[0] == name && (path.segments.len() > 1 || file.follows(path.start, &["use"]))
    };
    let paths = file.paths().into_iter().filter(is_crate);
    paths.map(|path| path.start).collect()
}

fn process_starts(file: &RustFile) -> Vec<usize> {
    let paths = file.paths().into_iter().filter(|path| !path.in_test);
    let starts = paths.filter(|path| path.contains("Command::new"));
    starts.map(|path| path.start).collect()
}

#[cfg(test)]
mod tests {
    use super::RULE;

    const PLATFORM: &str = "crates/mt-ipc/src/platform/unix.rs";
    const IPC: &str = "crates/mt-ipc/src/spawn.rs";
    const POOL: &str = "crates/mt-pool/src/lib.rs";

    #[test]
    fn interprocess_stays_in_the_platform_files() {
        RULE.check(&[(PLATFORM, "use interprocess::local_socket::Stream;")]);
        RULE.check(&[(IPC, "use interprocess::local_socket::Stream; ~~")]);
        RULE.check(&[(
            POOL,
            "// interprocess::x\nconst A: &str = \"interprocess\";",
        )]);
    }

    #[test]
    fn sysinfo_has_one_file() {
        RULE.check(&[(POOL, "use sysinfo;")]);
        RULE.check(&[
            (IPC, "use sysinfo; ~~"),
            (POOL, "fn f() { sysinfo::System::new(); } ~~"),
        ]);
    }

    #[test]
    fn processes_start_in_one_file_of_mt_ipc() {
        let (starts, found) = (
            "fn f() { process::Command::new(a); }",
            "fn f() { Command::new(a); } ~~",
        );
        RULE.check(&[(IPC, starts), ("crates/mt-pool/tests/a.rs", starts)]);
        RULE.check(&[(POOL, found)]);
        RULE.check(&[(IPC, found), (PLATFORM, found)]);
        RULE.check(&[
            (IPC, starts),
            (PLATFORM, "fn f(c: &mut process::Command) {}"),
        ]);
    }

    #[test]
    fn select_stays_in_the_loops() {
        let waits = "fn f() { tokio::select! { _ = a() => {} } }";
        RULE.check(&[(POOL, &format!("//! Waits.\n{waits} ~~"))]);
        RULE.check(&[(POOL, &format!("//! Loop: frames.\n{waits}"))]);
    }
}

//! Rule: things with many pitfalls have one owner each.
//!
//! Local sockets, system figures, process starts and `select!` are each in one known place, so that
//! their pitfalls are handled once and reviewed in one file.

use super::{Known, Rule, RustFile, Tree, Violation};

pub(super) const RULE: Rule = Rule {
    name: "owners",
    demands: "`interprocess` only under crates/mt-ipc/src/platform*; `sysinfo` in one file of \
              crates/; processes start in one file of mt-ipc; `select!` only in files whose `//!` \
              doc has a line `Loop: …`",
    check,
    known: Known::Nothing,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let is_platform = |file: &&RustFile| file.path.starts_with("crates/mt-ipc/src/platform");
    let elsewhere = tree.rust.iter().filter(|file| !is_platform(file));
    let message = "only crates/mt-ipc/src/platform* names `interprocess`: use mt-ipc's own types";
    let mut found: Vec<Violation> = elsewhere
        .flat_map(|file| file.violations(crate_lines(file, "interprocess"), message))
        .collect();

    let ours = tree
        .rust
        .iter()
        .filter(|file| file.path.starts_with("crates/"));
    let message = "more than one file names `sysinfo`: ask the one that owns it";
    found.extend(one_owner(ours, message, |file| {
        crate_lines(file, "sysinfo")
    }));

    let (in_ipc, elsewhere): (Vec<_>, Vec<_>) =
        tree.sources().partition(|file| file.package() == "mt-ipc");
    let message = "more than one file starts processes: ask the one that owns it";
    found.extend(one_owner(in_ipc.into_iter(), message, process_start_lines));
    let message = "only mt-ipc starts processes: use what it offers";
    found.extend(
        elsewhere
            .iter()
            .flat_map(|file| file.violations(process_start_lines(file), message)),
    );

    let message = "`select!` belongs in a loop's file: move it there, or say `//! Loop: …` what this loop waits \
                   for and why each wait is cancel-safe";
    let outside_loops = tree.sources().filter(|file| !file.has_marker("Loop:"));
    found.extend(outside_loops.flat_map(|file| file.violations(select_lines(file), message)));
    found
}

/// The first line of each file that has such lines, if more than one file does.
fn one_owner<'a>(
    files: impl Iterator<Item = &'a RustFile>,
    message: &str,
    lines: impl Fn(&RustFile) -> Vec<usize>,
) -> Vec<Violation> {
    let owners = files.flat_map(|file| file.violations(lines(file).into_iter().take(1), message));
    let owners: Vec<Violation> = owners.collect();
    if owners.len() > 1 { owners } else { Vec::new() }
}

/// Where `name` is named as a crate: in a path or alone in a `use`.
fn crate_lines(file: &RustFile, name: &str) -> Vec<usize> {
    let paths = file
        .paths()
        .into_iter()
        .filter(|path| path.is_of_crate(name));
    let is_used = |end: usize| end >= 2 && file.tokens_are(end - 2, &["use", name]);
    let crates = paths.filter(|path| path.segments.len() > 1 || is_used(path.end));
    crates.map(|path| path.line).collect()
}

fn process_start_lines(file: &RustFile) -> Vec<usize> {
    let paths = file.paths().into_iter().filter(|path| !path.in_test);
    let starts = paths.filter(|path| path.contains("Command::new"));
    starts.map(|path| path.line).collect()
}

fn select_lines(file: &RustFile) -> impl Iterator<Item = usize> {
    let found = ["select", "select_biased"]
        .into_iter()
        .flat_map(|name| file.find([name, "!"]));
    found
        .map(|at| &file.tokens[at])
        .filter(|token| !token.in_test)
        .map(|token| token.line)
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    const PLATFORM: &str = "crates/mt-ipc/src/platform/unix.rs";
    const IPC: &str = "crates/mt-ipc/src/spawn.rs";
    const POOL: &str = "crates/mt-pool/src/lib.rs";

    #[test]
    fn interprocess_stays_in_the_platform_files() {
        let text = "use interprocess::local_socket::Stream;";
        check(&RULE, &[(PLATFORM, text)], &[]);
        check(&RULE, &[(IPC, text)], &["crates/mt-ipc/src/spawn.rs:1"]);
        check(
            &RULE,
            &[(
                POOL,
                "// interprocess::x\nconst A: &str = \"interprocess\";",
            )],
            &[],
        );
    }

    #[test]
    fn sysinfo_has_one_file() {
        let text = "use sysinfo;";
        check(&RULE, &[(POOL, text)], &[]);
        let expected = [
            "crates/mt-ipc/src/spawn.rs:1",
            "crates/mt-pool/src/lib.rs:1",
        ];
        check(
            &RULE,
            &[(IPC, text), (POOL, "fn f() { sysinfo::System::new(); }")],
            &expected,
        );
    }

    #[test]
    fn processes_start_in_one_file_of_mt_ipc() {
        let text = "fn f() { std::process::Command::new(a); }";
        check(
            &RULE,
            &[(IPC, text), ("crates/mt-pool/tests/a.rs", text)],
            &[],
        );
        check(&RULE, &[(POOL, text)], &["crates/mt-pool/src/lib.rs:1"]);
        let expected = [
            "crates/mt-ipc/src/spawn.rs:1",
            "crates/mt-ipc/src/platform/unix.rs:1",
        ];
        check(
            &RULE,
            &[(IPC, text), (PLATFORM, "fn f() { Command::new(a); }")],
            &expected,
        );
        check(
            &RULE,
            &[(IPC, text), (PLATFORM, "fn f(c: &mut process::Command) {}")],
            &[],
        );
    }

    #[test]
    fn select_stays_in_the_loops() {
        let text = "//! Waits.\nfn f() { tokio::select! { _ = a() => {} } }";
        check(&RULE, &[(POOL, text)], &["crates/mt-pool/src/lib.rs:2"]);
        check(&RULE, &[(POOL, &format!("//! Loop: frames.\n{text}"))], &[]);
    }
}

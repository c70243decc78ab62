//! Rule: things with many pitfalls have one owner each.
//!
//! Local sockets, system figures, process starts and `select!` are each in one known place, so that
//! their pitfalls are handled once and reviewed in one file.

use super::known::Known;
use super::rust_file::RustFile;
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "owners",
    demands: "`interprocess` only under crates/mt-ipc/src/platform*; `sysinfo` in one file of \
              crates/; processes start in one file of mt-ipc; `select!` only in files whose `//!` \
              doc has a line `Loop: …`",
    check,
    known: Known::Nothing,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in &tree.rust {
        if !file.path.starts_with("crates/mt-ipc/src/platform") {
            let message =
                "only crates/mt-ipc/src/platform* names `interprocess`: use mt-ipc's own types";
            found.extend(at(file, message, crate_lines(file, "interprocess")));
        }
    }
    let ours = || {
        tree.rust
            .iter()
            .filter(|file| file.path.starts_with("crates/"))
    };
    let in_source = || ours().filter(|file| file.is_crate_source());
    let message = "more than one file names `sysinfo`: ask the one that owns it";
    found.extend(one_owner(ours(), message, |file| {
        crate_lines(file, "sysinfo")
    }));

    let (in_ipc, elsewhere): (Vec<_>, Vec<_>) =
        in_source().partition(|file| file.path.starts_with("crates/mt-ipc/"));
    let message = "more than one file starts processes: ask the one that owns it";
    found.extend(one_owner(in_ipc.into_iter(), message, process_start_lines));
    let message = "only mt-ipc starts processes: use what it offers";
    found.extend(
        elsewhere
            .into_iter()
            .flat_map(|f| at(f, message, process_start_lines(f))),
    );

    let message = "`select!` belongs in a loop's file: move it there, or say `//! Loop: …` what \
                   this loop waits for and why each wait is cancel-safe";
    let outside_loops = in_source().filter(|file| !file.has_marker("Loop:"));
    found.extend(outside_loops.flat_map(|file| at(file, message, select_lines(file))));
    found
}

fn at(file: &RustFile, message: &'static str, lines: Vec<usize>) -> Vec<Violation> {
    lines
        .into_iter()
        .map(|line| Violation::new(&file.path, line, message))
        .collect()
}

/// The first line of each file that has such lines, if more than one file does.
fn one_owner<'a>(
    files: impl Iterator<Item = &'a RustFile>,
    message: &'static str,
    lines: impl Fn(&RustFile) -> Vec<usize>,
) -> Vec<Violation> {
    let owners: Vec<Violation> = files
        .filter_map(|file| Some(Violation::new(&file.path, *lines(file).first()?, message)))
        .collect();
    if owners.len() > 1 { owners } else { Vec::new() }
}

/// Where `name` is named as a crate: in a path or alone in a `use`.
fn crate_lines(file: &RustFile, name: &str) -> Vec<usize> {
    let is_used = |end: usize| file.tokens_are(end.saturating_sub(2), &["use", name]);
    file.paths()
        .iter()
        .filter(|path| path.is_of_crate(name) && (path.segments.len() > 1 || is_used(path.end)))
        .map(|path| path.line)
        .collect()
}

fn process_start_lines(file: &RustFile) -> Vec<usize> {
    file.paths()
        .iter()
        .filter(|path| !path.in_test)
        .filter(|path| path.contains("Command::new"))
        .map(|path| path.line)
        .collect()
}

fn select_lines(file: &RustFile) -> Vec<usize> {
    (0..file.tokens.len())
        .filter(|&i| {
            file.tokens_are(i, &["select", "!"]) || file.tokens_are(i, &["select_biased", "!"])
        })
        .filter(|&i| !file.tokens[i].in_test && !file.is_test())
        .map(|i| file.tokens[i].line)
        .collect()
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

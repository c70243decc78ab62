//! Rule: things with many pitfalls have one owner each.
//!
//! Local sockets, system figures, process starts and `select!` are each in one known place, so that their pitfalls are handled
//! once and reviewed in one file.

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "owners",
    demands: "`interprocess` only in crates/mt-ipc/src/platform/, `sysinfo` only in \
              crates/mt-pool/src/load/system.rs; processes start only in crates/mt-ipc/src/spawn.rs; `select!` \
              only in files whose `//!` doc has a line `Loop: …`",
    check,
};

/// What only the files below a path may name, tests among them, and what others are to do.
const OWNERS: &[(&str, &str, &str)] = &[
    (
        "interprocess",
        "crates/mt-ipc/src/platform/",
        "only platform files name `interprocess`: use mt-ipc's own types",
    ),
    (
        "sysinfo",
        "crates/mt-pool/src/load/system.rs",
        "only `load` looks at the system: ask it",
    ),
];

fn check(tree: &Tree, found: &mut Findings) {
    for file in &tree.rust {
        let paths = file.paths();
        for (name, owner, message) in OWNERS {
            let uses = paths.iter().filter(|path| path.contains(name));
            let uses = uses.filter(|_| !file.path.starts_with(owner));
            found.add_tokens(file, uses.map(|path| path.start), message);
        }
    }
    for file in tree.sources() {
        let starts = file.paths().into_iter();
        let starts = starts.filter(|path| !path.in_test && path.contains("Command::new"));
        let starts = starts.filter(|_| file.path != "crates/mt-ipc/src/spawn.rs");
        let message = "only mt-ipc starts processes: use what it offers";
        found.add_tokens(file, starts.map(|path| path.start), message);
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

#[cfg(test)]
mod tests {
    use super::RULE;

    const POOL: &str = "crates/mt-pool/src/lib.rs";

    #[test]
    fn interprocess_stays_in_the_platform_files() {
        let uses = "use interprocess::local_socket::Stream;";
        RULE.check(&[("crates/mt-ipc/src/platform/unix.rs", uses)]);
        RULE.check(&[("crates/mt-ipc/src/spawn.rs", &format!("{uses} ~~"))]);
    }

    #[test]
    fn sysinfo_has_one_file() {
        RULE.check(&[("crates/mt-pool/src/load/system.rs", "use sysinfo;")]);
        RULE.check(&[(POOL, "use sysinfo; ~~")]);
        RULE.check(&[(POOL, "fn f() { sysinfo::System::new(); } ~~")]);
        RULE.check(&[(POOL, "// sysinfo::x\nconst A: &str = \"sysinfo\";")]);
    }

    #[test]
    fn processes_start_in_one_file_of_mt_ipc() {
        let starts = "fn f() { process::Command::new(a); }";
        RULE.check(&[("crates/mt-ipc/src/spawn.rs", starts)]);
        RULE.check(&[("crates/mt-pool/tests/a.rs", starts)]);
        RULE.check(&[(POOL, "fn f(c: &mut process::Command) {}")]);
        for path in [POOL, "crates/mt-ipc/src/platform/unix.rs"] {
            RULE.check(&[(path, &format!("{starts} ~~"))]);
        }
    }

    #[test]
    fn select_stays_in_the_loops() {
        let waits = "fn f() { tokio::select! { _ = a() => {} } }";
        RULE.check(&[(POOL, &format!("//! Waits.\n{waits} ~~"))]);
        RULE.check(&[(POOL, &format!("//! Loop: frames.\n{waits}"))]);
    }
}

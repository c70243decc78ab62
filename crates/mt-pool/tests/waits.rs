//! The example `waits` does what its table says.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Cargo puts examples beside the folder of the tests.
fn program() -> PathBuf {
    let this = env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join("waits");
    assert!(
        program.exists(),
        "{} is not built: `cargo test -p mt-pool` builds it, and so does `cargo build -p mt-pool \
         --example waits` (with the same `--release` or `--profile`)",
        program.display()
    );
    program
}

#[test]
fn every_request_is_counted_in_all_three_ways() {
    let mut command = Command::new(program());
    command.args([
        "--pages",
        "2000",
        "--think",
        "1",
        "--serial",
        "100",
        "--concurrency",
        "32",
    ]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), output.stderr);
    assert!(
        output.status.success(),
        "{out}\n{}",
        String::from_utf8_lossy(&err)
    );
    let figures = |row: &str| -> Vec<u64> {
        let line = out.lines().find(|line| line.contains(row)).unwrap();
        let cells = line.split(['│', '┆']).map(str::trim);
        cells.filter_map(|cell| cell.parse().ok()).take(6).collect()
    };
    // At once, requests, pages, bytes, not there, errors.
    assert_eq!(figures("one after the other")[..3], [1, 100, 90]);
    for (row, at_once) in [
        ("once in this process", 32),
        ("once in worker processes", 64),
    ] {
        let found = figures(row);
        assert_eq!(found[..3], [at_once, 2000, 1798], "{out}");
        assert_eq!(found[4..], [200, 2], "{out}");
    }
}

//! The example `search` finds the smallest number, with any number of workers and threads.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{env, process::Command};

use sha2::{Digest, Sha256};

const BITS: u32 = 10;

/// One after the other, as plain as can be.
fn smallest() -> u64 {
    let bits = |number: u64| {
        let hash = Sha256::digest(format!("test{number}"));
        u64::from_be_bytes(hash[..8].try_into().unwrap()).leading_zeros()
    };
    (0..).find(|&number| bits(number) >= BITS).unwrap()
}

/// Cargo puts examples beside the folder of the tests.
fn search() -> Command {
    let this = env::current_exe().unwrap();
    let program = this.parent().unwrap().with_file_name("examples");
    let program = program.join("search");
    assert!(
        program.exists(),
        "{} is not built: `cargo test -p mt-pool` builds it, and so does `cargo build -p mt-pool \
         --example search` (with the same `--release` or `--profile`)",
        program.display()
    );
    Command::new(program)
}

#[track_caller]
fn check(options: &[&str]) {
    let output = search()
        .args([&BITS.to_string(), "--text=test"])
        .args(options)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    let expected = smallest().to_string();
    let row = |line: &str| line.contains("number") && line.contains(&expected);
    assert!(out.lines().any(row), "{expected} is not in\n{out}");
}

#[test]
fn the_smallest_is_found() {
    check(&[]);
    check(&["--workers=3", "--threads=5", "--block=7"]);
    check(&["--serial", "--threads=3", "--block=50"]);
}

#[test]
fn wrong_options_are_refused() {
    let output = search().arg("65").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

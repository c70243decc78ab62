//! The example `search` finds the smallest number, with any number of workers and threads.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use mt_test_kit::{Running, example};
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

#[track_caller]
fn check(options: &[&str]) {
    let mut search = example("search");
    search
        .args([&BITS.to_string(), "--text=test"])
        .args(options);
    let output = search.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let out = String::from_utf8_lossy(&output.stdout);
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
    let output = Running::start(example("search").arg("65")).output();
    assert_eq!(output.status.code(), Some(2));
}

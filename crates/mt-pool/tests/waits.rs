//! The example `waits` does what its table says.
#![cfg(unix)]

use mt_test_kit::{Running, example};

/// Case R15: `waits` has every request answered one after the other, many at once, and in worker processes.
#[test]
fn every_request_is_counted_in_all_three_ways() {
    let options = "--pages 2000 --think 1 --serial 100 --concurrency 32";
    let output = Running::start(example("waits").args(options.split(' '))).output();
    assert!(output.status.success(), "{output:?}");
    let out = String::from_utf8(output.stdout).unwrap();
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

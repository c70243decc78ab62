//! The example that digests a tree, run as its users run it: a program with files before it, its
//! output and its exit code.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod early;
mod reference;
mod row;
mod tree;

use std::{fs, path::Path};

use mt_test_kit::{Running, example};
use reference::{sums_of_sha256sum, words_of_wc};
use row::{Row, expected};
use tree::Tree;

/// The example, at work on a tree, for a minute at most.
fn start(tree: &Path, options: &[&str]) -> Running {
    Running::start(example("digest").arg(tree).args(options))
}

/// What the digest of the tree prints, sorted, and how it exits.
fn digests(tree: &Path, options: &[&str]) -> (Vec<Row>, Option<i32>) {
    let output = start(tree, &[options, &["--json"]].concat()).output();
    let mut rows = row::parse(&output.stdout);
    rows.sort();
    (rows, output.status.code())
}

#[test]
fn every_file_has_its_digest() {
    let tree = Tree::of_all_sorts();
    let mut expected: Vec<Row> = tree.files.iter().map(expected).collect();
    expected.sort();
    for workers in ["1", "2", "8"] {
        for order in [None, Some("--unordered")] {
            let options: Vec<&str> = ["-w", workers].into_iter().chain(order).collect();
            let (rows, code) = digests(tree.path(), &options);
            assert_eq!(rows, expected, "with {options:?}");
            assert_eq!(code, Some(0), "with {options:?}");
        }
    }
}

#[test]
fn in_order_the_output_is_the_same_to_the_byte() {
    let tree = Tree::of_texts(500);
    let output = |workers| start(tree.path(), &["--json", "-q", "-w", workers]).output();
    let one = output("1");
    let lines = one.stdout.iter().filter(|&&byte| byte == b'\n');
    assert_eq!(lines.count(), 500);
    assert!(one.stderr.is_empty());
    assert!(output("2").stdout == one.stdout);
    assert!(output("8").stdout == one.stdout);
}

/// Case R12: `digest` gives the sums and counts of `sha256sum` and `wc`.
#[test]
fn digests_equal_those_of_sha256sum_and_wc() {
    let tree = Tree::of_all_sorts();
    let (rows, _) = digests(tree.path(), &[]);
    if let Some(mut sums) = sums_of_sha256sum(&tree) {
        sums.sort();
        let ours: Vec<_> = rows.iter().map(Row::path_and_sum).collect();
        assert_eq!(ours, sums);
    }
    for file in tree.files.iter().filter(|file| file.is_plain_text()) {
        if let Some(counts) = words_of_wc(&tree.path().join(&file.path)) {
            let row = rows.iter().find(|row| row.is_of(file)).unwrap();
            assert_eq!(row.counts(), Some(counts), "{:?}", file.path);
        }
    }
}

#[test]
fn a_file_alone_is_a_tree_too() {
    let tree = Tree::of_texts(3);
    let file = &tree.files[1];
    let (rows, code) = digests(&tree.path().join(&file.path), &[]);
    let row = &rows[0];
    assert!(row.is_of(file) && rows.len() == 1, "{rows:?}");
    assert_eq!(code, Some(0));
}

#[test]
fn an_unreadable_file_is_reported() {
    let tree = Tree::of_texts(20);
    if !tree.make_unreadable("text-7.txt") {
        return; // this user may read everything
    }
    let (rows, code) = digests(tree.path(), &[]);
    let errors: Vec<_> = rows.iter().filter_map(Row::error).collect();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("PermissionDenied"), "{errors:?}");
    assert_eq!((rows.len(), code), (20, Some(1)));
}

/// One that even the superuser can't read.
#[test]
fn an_error_while_reading_is_reported() {
    let (rows, code) = digests(Path::new("/proc/self/mem"), &[]);
    let error = rows[0].error().unwrap();
    assert!(error.contains("can't be read beyond 0 bytes"), "{error}");
    assert_eq!((rows.len(), code), (1, Some(1)));
}

/// Case R13: When the task of one file aborts its process again and again, `digest` loses that file and no other.
#[test]
fn a_poisoned_file_is_lost_alone() {
    let tree = Tree::of_texts(200);
    let (whole, _) = digests(tree.path(), &["-w", "2"]);
    for poison in ["text-77.txt", "*-77.t?t"] {
        for workers in ["1", "2", "8"] {
            let (rows, code) = digests(tree.path(), &["-w", workers, "--poison", poison]);
            let (lost, kept): (Vec<_>, Vec<_>) =
                rows.into_iter().partition(|row| row.error().is_some());
            assert_eq!(lost.len(), 1, "{lost:?}");
            let poisoned = tree.file("text-77.txt");
            assert!(lost[0].is_of(poisoned));
            let error = lost[0].error().unwrap();
            assert!(error.contains("crashed 3 times"), "{error}");
            assert!(error.contains("SIGABRT"), "{error}");
            let rest = whole.iter().filter(|row| !row.is_of(poisoned));
            assert!(kept.iter().eq(rest));
            assert_eq!(code, Some(1));
        }
    }
}

#[test]
fn the_summary_counts_everything() {
    let tree = Tree::of_texts(50);
    let output = start(tree.path(), &["-w", "2"]).output();
    let text = String::from_utf8(output.stdout).unwrap();
    let total = text.lines().find(|line| line.contains("total")).unwrap();
    assert!(total.contains(" 50 "), "{text}");
    assert!(text.contains("errors: 0; workers: "), "{text}");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn git_and_target_are_left_out_unless_asked_for() {
    let tree = Tree::of_texts(2);
    for folder in [".git", "target"] {
        fs::create_dir(tree.path().join(folder)).unwrap();
        fs::write(tree.path().join(folder).join("file"), "x").unwrap();
    }
    assert_eq!(digests(tree.path(), &[]).0.len(), 2);
    assert_eq!(digests(tree.path(), &["--all"]).0.len(), 4);
}

#[test]
fn nothing_there_is_an_error() {
    let tree = Tree::of_texts(0);
    let (rows, code) = digests(tree.path(), &[]);
    assert_eq!((rows.len(), code), (0, Some(0)));
    let output = start(&tree.path().join("missing"), &[]).output();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing can't be looked at"));
}

//! Runs that end before all is done.

use std::io::{BufRead, BufReader, Read};

use mt_test_kit::{Signal, signal};

use crate::{
    row::{self, expected},
    start,
    tree::Tree,
};

#[test]
fn an_interrupt_drains() {
    // More than the capacity of one worker and what fits into a pipe: while nobody reads, the run
    // can't come to its end.
    let tree = Tree::of_texts(8_000);
    let mut running = start(tree.path(), &["--json", "-w", "1"]);
    let mut stdout = BufReader::new(running.stdout());
    let mut stderr = BufReader::new(running.stderr());
    let mut printed = Vec::new();
    stdout.read_until(b'\n', &mut printed).unwrap();
    signal(running.pid(), Signal::INT);
    // Read on only when the run knows.
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(said.contains("interrupted"), "{said}");
    stdout.read_to_end(&mut printed).unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(running.wait().code(), Some(130), "{said}");
    let rows = row::parse(&printed);
    assert!((1..8_000).contains(&rows.len()), "{}", rows.len());
    for row in rows {
        let file = tree.files.iter().find(|file| row.is_of(file)).unwrap();
        assert_eq!(row, expected(file));
    }
    assert!(said.contains("not started"), "{said}");
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let tree = Tree::of_texts(4_000);
    let mut running = start(tree.path(), &["--json", "-w", "2"]);
    let mut stderr = running.stderr();
    let stdout = BufReader::new(running.stdout());
    stdout.lines().next().unwrap().unwrap(); // and it is closed
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!((running.wait().code(), said.as_str()), (Some(0), ""));
}

//! What of a command's output tells why it failed, told again at its end.
//!
//! The output of all tests has thousands of lines, and whoever keeps a part of it keeps the last: there it must be.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, IsTerminal, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Mutex,
    thread,
};

use anyhow::{Context, Result};

/// The most lines that are told again.
const MOST_LINES: usize = 200;
/// The lines that follow a panic's first one, in which its message is.
const MESSAGE_LINES: usize = 4;

/// What lines hold that tell of a failure. The first is followed by its message.
const TELLING: [&str; 5] = [
    " panicked at ",
    "... FAILED",
    " hangs",
    "process didn't exit successfully",
    "(signal: ",
];

/// Runs a command and passes on what it prints. If it fails, the lines that tell why are told again. At a terminal it has
/// that for itself, colours and all, and nothing is told twice.
pub(crate) fn run(mut command: Command) -> Result<ExitStatus> {
    if io::stdout().is_terminal() {
        return command.status().context("failed to start cargo");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().context("failed to start cargo")?;
    let found = Mutex::new(VecDeque::new());
    let status = pass_on(child, &found)?;
    let found = found.into_inner().unwrap_or_default();
    if !status.success() && !found.is_empty() {
        eprintln!("==> what tells of failures, again");
        found.iter().for_each(|line| eprintln!("{line}"));
    }
    Ok(status)
}

fn pass_on(mut child: Child, found: &Mutex<VecDeque<String>>) -> Result<ExitStatus> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    thread::scope(|threads| {
        threads.spawn(|| tee(out, io::stdout(), found));
        threads.spawn(|| tee(err, io::stderr(), found));
    });
    Ok(child.wait()?)
}

/// Copies what comes, and keeps what tells of failures.
fn tee(from: Option<impl Read>, mut to: impl Write, found: &Mutex<VecDeque<String>>) {
    let Some(mut from) = from.map(BufReader::new) else {
        return;
    };
    let (mut line, mut follow) = (Vec::new(), 0);
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // Who does not read us is told at the end all the same.
        let _ = to.write_all(&line);
        let text = String::from_utf8_lossy(&line);
        keep(text.trim_end(), &mut follow, found);
        line.clear();
    }
}

/// Keeps a line that tells of a failure, or that belongs to one: `follow` more do.
fn keep(line: &str, follow: &mut usize, found: &Mutex<VecDeque<String>>) {
    match TELLING.iter().position(|part| line.contains(part)) {
        Some(0) => *follow = MESSAGE_LINES,
        Some(_) => *follow = (*follow).max(1) - 1,
        None if *follow == 0 => return,
        None => *follow -= 1,
    }
    if let Ok(mut found) = found.lock() {
        if found.len() == MOST_LINES {
            found.pop_front();
        }
        found.push_back(line.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(output: &str) -> Vec<String> {
        let found = Mutex::default();
        let mut copy = Vec::new();
        tee(Some(output.as_bytes()), &mut copy, &found);
        assert_eq!(copy, output.as_bytes());
        found.into_inner().expect("no panic").into()
    }

    #[test]
    fn failures_are_kept_with_their_messages() {
        let output = "running 3 tests\ntest a ... ok\ntest b ... FAILED\nb hangs\n\
            thread 'b' (7) panicked at src/lib.rs:1:\nassertion failed\n left: 1\n right: 2\nnote\nfar\n\
            process didn't exit successfully: `c` (signal: 6, SIGABRT)\nrunning 0 tests\n";
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(kept(output), [&lines[2..9], &lines[10..11]].concat());
    }

    #[test]
    fn of_many_the_last_are_kept() {
        let lines = (0..MOST_LINES + 7).map(|n| format!("test {n} ... FAILED\n"));
        let kept = kept(&lines.collect::<String>());
        assert_eq!(
            (kept.len(), kept[0].as_str()),
            (MOST_LINES, "test 7 ... FAILED")
        );
    }
}

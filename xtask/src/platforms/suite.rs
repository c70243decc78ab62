//! A test program under Wine: what became of each of its tests, also when one takes the program along or hangs.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{build::Program, progress::Progress, verdict::TestResult, wine::Wine};

/// Longer than any test takes: their own watchdogs bark after five minutes.
const PATIENCE: Duration = Duration::from_secs(360);
/// Tests wait more than they compute.
const TESTS_AT_ONCE: &str = "--test-threads=4";
/// The longest command line of tests' names.
const MOST_NAMES: usize = 20_000;
/// How much of the last words is told.
const LAST_LINES: usize = 30;

/// A test program to be run.
pub(super) struct Suite<'a> {
    pub(super) name: &'static str,
    pub(super) program: &'a Program,
    pub(super) wine: &'a Wine,
    /// Which tests, by parts of their names; all, if there are none.
    pub(super) filters: &'a [String],
}

impl Suite<'_> {
    /// Runs its tests. One that takes the program along, or hangs, has failed, and the others are run all the same.
    pub(super) fn run(&self) -> Result<Vec<TestResult>> {
        let names = self.names()?;
        let mut progress = Progress::new(self.name, names.iter().cloned());
        let mut rounds = vec![self.filters.to_vec()];
        let mut left = names.len();
        loop {
            for filters in rounds {
                self.round(&filters, &mut progress)?;
            }
            let (begun, waiting) = progress.left();
            // Which of those that ran has ended the program shows when each runs alone.
            for name in begun {
                let end = self.round(&exactly(&[&name]), &mut progress)?;
                if !progress.has_ended(&name) {
                    progress.fail(&name, end);
                }
            }
            if waiting.is_empty() {
                return Ok(progress.results());
            }
            let name = self.name;
            ensure!(waiting.len() < left, "{name}: the program begins no test");
            left = waiting.len();
            rounds = in_lines(&waiting).into_iter().map(exactly).collect();
        }
    }

    fn names(&self) -> Result<Vec<String>> {
        let mut list = self.command();
        list.args(["--list", "--format=terse"]).args(self.filters);
        let output = list.output().context("failed to start Wine")?;
        let told = String::from_utf8_lossy(&output.stdout);
        let names = told.lines().filter_map(|line| line.strip_suffix(": test"));
        let names: Vec<String> = names.map(str::to_owned).collect();
        ensure!(
            output.status.success(),
            "{}: the tests can't be listed: {}, {}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(names)
    }

    /// Runs some tests. Returns how the program ended, with its last words.
    fn round(&self, filters: &[String], progress: &mut Progress) -> Result<String> {
        let mut command = self.command();
        command.args(["-Zunstable-options", "--format=json", "--show-output"]);
        command.args(["--report-time", TESTS_AT_ONCE]).args(filters);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("failed to start Wine")?;
        let end = self.follow(&mut child, progress)?;
        let status = child.wait().context("failed to wait for Wine")?;
        let how = match end.is_silent {
            true => format!("it hangs: nothing was heard for {PATIENCE:?}, and all was ended"),
            false => format!("the test program ended with {status}"),
        };
        let last: Vec<String> = end.last_lines.into();
        Ok(format!("{how}\n{}", last.join("\n")))
    }

    fn follow(&self, child: &mut Child, progress: &mut Progress) -> Result<End> {
        let (told, lines) = channel();
        send_lines(
            child.stdout.take().context("its output is piped")?,
            true,
            &told,
        );
        send_lines(
            child.stderr.take().context("its errors are piped")?,
            false,
            &told,
        );
        drop(told);
        let mut end = End::default();
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok((true, line)) => progress.line(&line),
                Ok((false, line)) => end.keep(line),
                Err(RecvTimeoutError::Disconnected) => return Ok(end),
                Err(RecvTimeoutError::Timeout) => {
                    end.is_silent = true;
                    // Then both pipes end.
                    child.kill().context("failed to end Wine")?;
                    self.wine.restart()?;
                }
            }
        }
    }

    fn command(&self) -> Command {
        let program = self.program;
        let mut command = self.wine.program(&program.path, &program.package);
        // The harness tells in JSON to those only that ask for what is not stable.
        command.env("RUSTC_BOOTSTRAP", "1");
        command
    }
}

/// How a round ended.
#[derive(Default)]
struct End {
    is_silent: bool,
    last_lines: VecDeque<String>,
}

impl End {
    fn keep(&mut self, line: String) {
        if self.last_lines.len() == LAST_LINES {
            self.last_lines.pop_front();
        }
        self.last_lines.push_back(line);
    }
}

fn send_lines(from: impl Read + Send + 'static, is_output: bool, to: &Sender<(bool, String)>) {
    let to = to.clone();
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if to.send((is_output, text)).is_err() {
                return;
            }
            line.clear();
        }
    });
}

/// Arguments that choose these tests.
fn exactly<N: AsRef<str>>(names: &[N]) -> Vec<String> {
    let names = names.iter().map(|name| name.as_ref().to_owned());
    std::iter::once("--exact".to_owned()).chain(names).collect()
}

/// Names by command lines that are not too long.
fn in_lines(names: &[String]) -> Vec<&[String]> {
    let mut length = 0;
    let chunks = names.chunk_by(move |name, _| {
        length += name.len() + 1;
        let goes_on = length < MOST_NAMES;
        if !goes_on {
            length = 0;
        }
        goes_on
    });
    chunks.collect()
}

#[cfg(test)]
mod tests {
    use super::{MOST_NAMES, exactly, in_lines};

    #[test]
    fn no_line_of_names_is_too_long_and_none_is_left_out() {
        let names: Vec<String> = (0..1000).map(|n| format!("{n:0100}")).collect();
        let lines = in_lines(&names);
        assert_eq!(lines.concat(), names);
        for line in &lines {
            assert!(exactly(line).join(" ").len() < MOST_NAMES + 200);
        }
        assert_eq!(lines.len(), 6);
        assert!(in_lines(&[]).is_empty());
    }
}

//! The whole run: the walk in, the outcomes out.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Instant,
};

use anyhow::Result;
use mt_pool::{Blocking, Pmap, TaskError, TaskErrorKind, asyn_pmap, events::PoolEvent};

use crate::{
    byte_path::BytePath,
    cli::{self, Args},
    glob::Glob,
    lines,
    progress::Progress,
    summary::summary,
    tally::Tally,
    task::{Digest, DigestError, Found, Job, digest},
    walk::Tree,
};

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict {
    Complete,
    Errors,
    Interrupted,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Complete => Self::SUCCESS,
            Verdict::Errors => Self::from(cli::EXIT_ERRORS),
            Verdict::Interrupted => Self::from(cli::EXIT_INTERRUPTED),
        }
    }
}

/// Digests what `args` asks for.
///
/// # Errors
/// When nothing could be started, or the output can't be written.
pub(crate) fn run(args: &Args) -> Result<Verdict> {
    let began = Instant::now();
    // Lines that go by on the same terminal are progress enough.
    let goes_by = args.json && io::stdout().is_terminal();
    let progress = Progress::new(!(args.quiet || args.no_progress || goes_by));
    let mut outcomes = start(args, &progress)?;
    let mut show = Show {
        tally: Tally::default(),
        is_json: args.json,
        progress,
    };
    for outcome in &mut outcomes {
        if let Err(error) = show.outcome(outcome) {
            return gone_or(error, &show.tally);
        }
    }
    let stats = outcomes.stats();
    if !args.quiet {
        let text = summary(&show.tally, &stats, began.elapsed());
        if let Err(error) = print_summary(args.json, &text) {
            return gone_or(error, &show.tally);
        }
    }
    if stats.interrupted {
        return Ok(Verdict::Interrupted);
    }
    Ok(verdict(&show.tally))
}

fn start(args: &Args, progress: &Progress) -> Result<Blocking<Pmap<digest>>> {
    let tree = Tree::new(&args.path, args.all)?;
    let poison = args.poison.as_ref().map(|it| Glob::new(BytePath::new(it)));
    let job = Job {
        base: BytePath::new(&tree.base),
        poison,
    };
    let teller = progress.clone();
    let mut run = asyn_pmap::<digest>(tree.walk())
        .shared(job)
        .ordered(!args.unordered)
        .keep_items()
        .observe(move |event| {
            if let PoolEvent::Interrupted = event {
                teller.say("interrupted: finishing what has begun; once more to stop at once");
            }
        });
    if let Some(workers) = args.workers {
        run = run.processes(workers);
    }
    let run = run.start()?.with_progress_bar(progress.bar());
    Ok(run.into_iter())
}

/// Counts the outcomes and shows them.
struct Show {
    tally: Tally,
    is_json: bool,
    progress: Progress,
}

impl Show {
    fn outcome(
        &mut self,
        outcome: Result<(BytePath, Digest), TaskError<DigestError>>,
    ) -> io::Result<()> {
        let (path, outcome) = match outcome {
            Ok((path, digest)) => {
                self.tally.add(&digest);
                (path, Ok(digest))
            }
            // Not an error of the file: the summary counts them.
            Err(error) if matches!(error.kind(), TaskErrorKind::Cancelled) => {
                self.tally.left += 1;
                return Ok(());
            }
            Err(error) => {
                self.tally.errors += 1;
                // Without an item only if it is not one file's outcome, but the end of the walk.
                let found = error.item::<Found>().and_then(Result::ok);
                let path = found.map_or_else(|| BytePath::new("(the walk)"), |found| found.path);
                (path, Err(error.kind().to_string()))
            }
        };
        self.progress.on_outcome(&self.tally);
        self.print(&path, outcome.as_ref().map_err(String::as_str))
    }

    fn print(&self, path: &BytePath, outcome: Result<&Digest, &str>) -> io::Result<()> {
        if self.is_json {
            return lines::print(&mut io::stdout().lock(), path, outcome);
        }
        if let Err(error) = outcome {
            self.progress.say(&format!("{}: {error}", path.display()));
        }
        Ok(())
    }
}

fn print_summary(is_json: bool, text: &str) -> io::Result<()> {
    if is_json {
        writeln!(io::stderr(), "{text}")
    } else {
        writeln!(io::stdout(), "{text}")
    }
}

/// A reader that has seen enough is no failure.
fn gone_or(error: io::Error, tally: &Tally) -> Result<Verdict> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(verdict(tally)),
        _ => Err(error.into()),
    }
}

fn verdict(tally: &Tally) -> Verdict {
    if tally.errors > 0 {
        Verdict::Errors
    } else {
        Verdict::Complete
    }
}

//! The whole run: the walk in, the outcomes out.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use anyhow::Result;
use mt_pool::{Blocking, TaskError, TaskErrorKind, asyn_pmap, events::PoolEvent, pmap::Indexed};

use crate::{
    byte_path::BytePath,
    cli::{self, Args},
    glob::Glob,
    lines,
    names::Names,
    progress::Progress,
    summary::summary,
    tally::Tally,
    task::{Digest, DigestError, Job, digest},
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
    let names = Arc::new(Names::default());
    // Lines that go by on the same terminal are progress enough.
    let goes_by = args.json && io::stdout().is_terminal();
    let progress = Progress::new(!(args.quiet || args.no_progress || goes_by));
    let mut outcomes = start(args, &names, &progress)?;
    let mut show = Show {
        tally: Tally::default(),
        is_json: args.json,
        names,
        progress,
    };
    for (index, outcome) in &mut outcomes {
        if let Err(error) = show.outcome(index, outcome) {
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

fn start(
    args: &Args,
    names: &Arc<Names>,
    progress: &Progress,
) -> Result<Blocking<Indexed<digest>>> {
    let tree = Tree::new(&args.path, args.all)?;
    let poison = args.poison.as_ref().map(|it| Glob::new(BytePath::new(it)));
    let job = Job {
        base: BytePath::new(&tree.base),
        poison,
    };
    let teller = progress.clone();
    let mut run = asyn_pmap::<digest>(names.of(tree.walk()))
        .shared(job)
        .ordered(!args.unordered)
        .observe(move |event| {
            if let PoolEvent::Interrupted = event {
                teller.say("interrupted: finishing what has begun; once more to stop at once");
            }
        });
    if let Some(workers) = args.workers {
        run = run.processes(workers);
    }
    let run = run.start()?.with_progress_bar(progress.bar());
    Ok(run.indexed().into_iter())
}

/// Counts the outcomes and shows them.
struct Show {
    tally: Tally,
    is_json: bool,
    names: Arc<Names>,
    progress: Progress,
}

impl Show {
    fn outcome(
        &mut self,
        index: u64,
        outcome: Result<Digest, TaskError<DigestError>>,
    ) -> io::Result<()> {
        let name = self.names.take(index);
        let outcome = match outcome {
            Ok(digest) => {
                self.tally.add(&digest);
                Ok(digest)
            }
            // Not an error of the file: the summary counts them.
            Err(error) if matches!(error.kind(), TaskErrorKind::Cancelled) => {
                self.tally.left += 1;
                return Ok(());
            }
            Err(error) => {
                self.tally.errors += 1;
                Err(error.kind().to_string())
            }
        };
        self.progress.on_outcome(&self.tally);
        // Without a name only if it is not one file's outcome, but the end of the walk.
        let name = name.unwrap_or_else(|| BytePath::new("(the walk)"));
        self.print(&name, outcome.as_ref().map_err(String::as_str))
    }

    fn print(&self, name: &BytePath, outcome: Result<&Digest, &str>) -> io::Result<()> {
        if self.is_json {
            return lines::print(&mut io::stdout().lock(), name, outcome);
        }
        if let Err(error) = outcome {
            self.progress.say(&format!("{}: {error}", name.display()));
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

//! The whole run: with worker bees, then alone, and what comes out of it.

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use anyhow::Result;

use crate::{
    cli::{self, Args},
    job::{Found, Job},
    lines,
    pipeline::Outcome,
    summary,
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

/// Predicts what `args` asks for.
///
/// # Errors
/// When nothing could be started, or the output can't be written.
pub(crate) async fn run(args: &Args) -> Result<Verdict> {
    let job = Job::new(args)?;
    let found = match args.single {
        true => job.alone().await?,
        false => job.with_bees().await?,
    };
    let check = match args.single || args.no_check || found.is_interrupted() {
        true => None,
        false => Some(job.alone().await?),
    };
    if let Err(error) = print(args, &job, &found, check.as_ref()) {
        // A reader that has seen enough is no failure.
        if error.kind() != io::ErrorKind::BrokenPipe {
            return Err(error.into());
        }
    }
    if found.is_interrupted() {
        return Ok(Verdict::Interrupted);
    }
    let answers = found.outcomes.iter().filter(|outcome| outcome.is_ok());
    let is_complete = answers.count() == job.frame.rows.len()
        && found.kept == job.frame.rows.len()
        && check.is_none_or(|check| differing(&job, &found, &check) == 0);
    Ok(match is_complete {
        true => Verdict::Complete,
        false => Verdict::Errors,
    })
}

/// The rows that have another outcome, if only by a bit, but for one that is poisoned.
pub(crate) fn differing(job: &Job, one: &Found, other: &Found) -> usize {
    let digest = |outcome: &Outcome| lines::digest(std::slice::from_ref(outcome));
    let pairs = one.outcomes.iter().zip(&other.outcomes).enumerate();
    let differing = pairs.filter(|(row, (one, other))| {
        let is_poisoned = job.poison == Some(*row);
        !is_poisoned && digest(one) != digest(other)
    });
    differing.count() + one.outcomes.len().abs_diff(other.outcomes.len())
}

fn print(args: &Args, job: &Job, found: &Found, check: Option<&Found>) -> io::Result<()> {
    let rows = &job.frame.rows;
    if args.json {
        let mut out = BufWriter::new(io::stdout().lock());
        lines::print(&mut out, rows, &found.outcomes)?;
    }
    if args.quiet {
        return Ok(());
    }
    let accuracy = summary::accuracy(rows, &found.outcomes);
    let figures = summary::figures(job, found, check);
    let mut text = format!("{accuracy}\n\n{figures}");
    if let Some(errors) = summary::errors(&found.outcomes) {
        text = format!("{text}\n\n{errors}");
    }
    if args.json {
        writeln!(io::stderr(), "{text}")
    } else {
        writeln!(io::stdout(), "{text}")
    }
}

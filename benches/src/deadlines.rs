//! How long calls that never end live beyond their hard deadline.
//!
//! Each call says when it began, by the clock all processes of a machine share. It counts as ended when its
//! outcome is here and its process is gone, which is looked at then.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use mt_pool::{TaskErrorKind, asyn_pmap, error::Deadline, limits::Deadlines};
use mt_test_kit::state_of;
use serde_json::json;

use crate::{
    measure::percentile_ms,
    report::{Figures, Report},
};

/// Measures how late calls that never end are gone.
///
/// Calls loop for ever or block, in plain and in async functions; each has a hard deadline. Needs Linux.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask deadlines
  cargo xtask deadlines --calls 20 --deadline-ms 500 --json")]
pub struct Plan {
    /// The calls of each kind
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,

    /// The deadline in milliseconds
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    deadline_ms: u64,

    /// The worker processes
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

/// Loops for ever, or sleeps in a call that blocks. Writes down its process and when it began.
#[mt_pool::task]
fn never_ends(note: PathBuf, loops: bool) {
    work_for_ever(&note, loops);
}

/// Blocks its runtime for ever.
#[mt_pool::task]
async fn never_yields(note: PathBuf, loops: bool) {
    work_for_ever(&note, loops);
}

fn work_for_ever(note: &Path, loops: bool) {
    let text = format!("{} {}", std::process::id(), now_us());
    // Without it the call is not counted, and that is an error of the report.
    let _ = fs::write(note, text);
    loop {
        if loops {
            std::hint::spin_loop();
        } else {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
}

fn now_us() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros())
}

/// Runs a plan.
pub fn run(plan: &Plan) -> Result<Report> {
    let folder = std::env::temp_dir().join(format!("mt-deadlines-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let kinds = [
        measure::<never_ends>("plain fn, endless loop", plan, &folder, true),
        measure::<never_ends>("plain fn, blocking call", plan, &folder, false),
        measure::<never_yields>("async fn, endless loop", plan, &folder, true),
        measure::<never_yields>("async fn, blocking call", plan, &folder, false),
    ];
    let _ = fs::remove_dir_all(&folder);
    let kinds: Vec<Figures> = kinds.into_iter().collect::<Result<_>>()?;
    let figures = vec![
        ("deadline_ms", json!(plan.deadline_ms)),
        ("workers", json!(plan.workers)),
    ];
    Ok(Report::of(&figures).with_rows("kinds", &kinds))
}

/// How much later than their deadline calls of one kind were gone and their outcomes here.
fn measure<T>(name: &'static str, plan: &Plan, folder: &Path, loops: bool) -> Result<Figures>
where
    T: mt_pool::Task<Input = (PathBuf, bool), Shared = ()>,
    T::Error: fmt::Debug,
{
    let deadline = Duration::from_millis(plan.deadline_ms);
    let note = |n: u32| folder.join(format!("{name} {n}"));
    let items: Vec<_> = (0..plan.calls).map(|n| (note(n), loops)).collect();
    let run = asyn_pmap::<T>(items)
        .processes(plan.workers)
        .max_concurrency(1)
        .ordered(false)
        .deadlines(Deadlines::new().hard(deadline));
    let mut late = Vec::new();
    let mut still_there = 0;
    for (index, outcome) in run.start()?.indexed() {
        let gone = now_us();
        let error = outcome.err().context("a call that never ends has ended")?;
        let TaskErrorKind::TimedOut { deadline: by, .. } = error.kind() else {
            bail!("{error:?}");
        };
        ensure!(*by == Deadline::Hard, "{error:?}");
        let text = fs::read_to_string(note(index as u32)).context("a call has not begun")?;
        let (pid, began) = text.split_once(' ').context("a note")?;
        still_there += u32::from(state_of(pid.parse()?).is_some());
        let ran = Duration::from_micros(gone.saturating_sub(began.parse()?) as u64);
        late.push(ran.saturating_sub(deadline));
    }
    Ok(vec![
        ("name", json!(name)),
        ("calls", json!(plan.calls)),
        ("p50_ms", json!(percentile_ms(&late, 0.5))),
        ("p99_ms", json!(percentile_ms(&late, 0.99))),
        ("most_ms", json!(percentile_ms(&late, 1.0))),
        ("still_there", json!(still_there)),
    ])
}

//! How long calls that never end live beyond their hard deadline.
//!
//! Each call says when it began, by the clock all processes of a machine share. It counts as ended when its
//! outcome is here and its process is gone, which is looked at then.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use mt_pool::{Deadline, TaskErrorKind, asyn_pmap};
use serde::Serialize;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The calls of each kind.
    pub calls: u32,
    /// The deadline of each.
    pub deadline: Duration,
    /// The worker processes.
    pub workers: usize,
}

/// What was seen.
#[derive(Debug, Serialize)]
pub struct Report {
    deadline_ms: f64,
    workers: usize,
    kinds: Vec<Kind>,
}

/// How late calls of one kind were gone.
#[derive(Debug, Serialize)]
struct Kind {
    name: &'static str,
    calls: u32,
    p50_ms: f64,
    p99_ms: f64,
    most_ms: f64,
    still_there: u32,
}

/// Loops for ever, or sleeps in a call that blocks. Writes down its process and when it began.
#[mt_pool::task]
fn never_ends(note: PathBuf, loops: bool) {
    begin(&note);
    work_for_ever(loops);
}

/// Blocks its runtime for ever.
#[mt_pool::task]
async fn never_yields(note: PathBuf, loops: bool) {
    begin(&note);
    work_for_ever(loops);
}

fn work_for_ever(loops: bool) {
    loop {
        if loops {
            std::hint::spin_loop();
        } else {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
}

fn begin(note: &Path) {
    let text = format!("{} {}", std::process::id(), now_us());
    // Without it the call is not counted, and that is an error of the report.
    let _ = fs::write(note, text);
}

fn now_us() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros())
}

/// Runs a plan.
///
/// # Errors
/// When a run does not start, or a call ends in any other way than by its deadline.
pub fn run(plan: Plan) -> Result<Report> {
    let folder = std::env::temp_dir().join(format!("mt-deadlines-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let kinds = [
        measure::<never_ends>("plain fn, endless loop", plan, &folder, true),
        measure::<never_ends>("plain fn, blocking call", plan, &folder, false),
        measure::<never_yields>("async fn, endless loop", plan, &folder, true),
        measure::<never_yields>("async fn, blocking call", plan, &folder, false),
    ];
    let kinds = kinds.into_iter().collect::<Result<_>>();
    let _ = fs::remove_dir_all(&folder);
    Ok(Report {
        deadline_ms: plan.deadline.as_secs_f64() * 1e3,
        workers: plan.workers,
        kinds: kinds?,
    })
}

fn measure<T>(name: &'static str, plan: Plan, folder: &Path, loops: bool) -> Result<Kind>
where
    T: mt_pool::Task<Input = (PathBuf, bool), Shared = ()>,
    T::Error: fmt::Debug,
{
    let note = |n: u32| folder.join(format!("{name} {n}"));
    let items: Vec<_> = (0..plan.calls).map(|n| (note(n), loops)).collect();
    let run = asyn_pmap::<T>(items)
        .pool_processes(plan.workers)
        .max_concurrency(1)
        .pool_ordered(false)
        .hard_deadline(plan.deadline);
    let mut late = Vec::new();
    let mut still_there = 0;
    for (index, outcome) in run.start()?.indexed() {
        let gone = now_us();
        let error = outcome.err().context("a call that never ends has ended")?;
        let by_deadline = matches!(
            error.kind(),
            TaskErrorKind::TimedOut {
                deadline: Deadline::Hard,
                ..
            }
        );
        anyhow::ensure!(by_deadline, "{error:?}");
        let text = fs::read_to_string(note(index as u32)).context("a call has not begun")?;
        let (pid, began) = text.split_once(' ').context("a note")?;
        still_there += u32::from(Path::new("/proc").join(pid).exists());
        let ran = Duration::from_micros(gone.saturating_sub(began.parse()?) as u64);
        late.push(ran.saturating_sub(plan.deadline).as_secs_f64() * 1e3);
    }
    late.sort_by(f64::total_cmp);
    let at = |part: f64| late[((late.len() - 1) as f64 * part) as usize];
    Ok(Kind {
        name,
        calls: plan.calls,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        most_ms: at(1.0),
        still_there,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "deadline {} ms, {} workers; how much later the process was gone and the outcome here",
            self.deadline_ms, self.workers
        )?;
        for kind in &self.kinds {
            writeln!(
                f,
                "{:<24} {:>4} calls: p50 {:>6.1} ms, p99 {:>6.1} ms, most {:>6.1} ms; still there: {}",
                kind.name, kind.calls, kind.p50_ms, kind.p99_ms, kind.most_ms, kind.still_there
            )?;
        }
        Ok(())
    }
}

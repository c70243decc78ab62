//! The run itself.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use mt_pool::{asyn_pmap, limits::MemoryLimits};
use mt_test_kit::Folder;

use super::{
    calls,
    fault::MAX_RSS_BYTES,
    gate, hive,
    job::{job, read_notes},
    killer,
    ledger::{End, Ledger},
    left_behind::Belongings,
    names,
    plan::Plan,
    targets::Targets,
    verdict::{Drained, Found},
    workplace,
};
use crate::{proc, report::Report, tasks::mixed};

/// The items of the run that goes before, quietly: what a process makes once and keeps (the thread
/// that starts workers, for one) is there after it.
const WARM_UP: u64 = 1000;

/// Does what the plan says.
pub fn run(plan: Plan) -> Result<Report> {
    let notes = Folder::temp();
    warm_up(&plan, &notes)?;
    let before = Belongings::now()?;
    let rss_before = own_resident_bytes()?;
    let targets = Arc::new(Targets::new(plan.seed));
    let begun = Instant::now();
    let (drained, took, killing) = thread::scope(|scope| {
        scope.spawn(|| killer::kill(&plan, &targets));
        let drained = match plan {
            Plan { hive: true, .. } => hive::drain(&plan, &targets, &notes).map(Drained::Items),
            Plan { calls: true, .. } => {
                calls::drain(&plan, &targets, &notes).map(|tally| Drained::Calls(Box::new(tally)))
            }
            _ => drain(&plan, &targets, &notes).map(Drained::Items),
        };
        let took = begun.elapsed();
        let mut state = targets.lock();
        let killing = state
            .first_ready
            .map_or(Duration::ZERO, |first| first.elapsed());
        state.end();
        drop(state);
        targets.tell();
        (drained, took, killing)
    });
    let rss = own_resident_bytes()?;
    let mut left = before.left_behind()?;
    left.insert("files", workplace::files(&notes)?);
    let (kills, notes) = (targets.lock(), read_notes(&notes));
    let found = Found {
        plan,
        took,
        killing,
        drained: &drained?,
        taken: targets.taken.load(Ordering::Relaxed),
        names: names::compare(&kills, &notes),
        kills: &kills,
        left,
        rss_growth: rss as i64 - rss_before as i64,
    };
    Ok(found.report())
}

fn warm_up(plan: &Plan, notes: &Folder) -> Result<()> {
    if plan.hive {
        return hive::warm_up(plan, notes, WARM_UP);
    }
    if plan.calls {
        return calls::warm_up(plan, notes, WARM_UP);
    }
    let run = asyn_pmap::<mixed>(0..WARM_UP)
        .processes(plan.workers)
        .start()
        .context("failed to start the pool")?;
    let failed = run.into_iter().filter(Result::is_err).count();
    ensure!(failed == 0, "{failed} items of the quiet run have no value");
    Ok(())
}

/// What this process has in memory.
fn own_resident_bytes() -> Result<u64> {
    proc::resident_bytes(std::process::id())?.context("this process has no memory")
}

/// Runs the items and enters every outcome. When it returns, the run is over and dropped.
fn drain(plan: &Plan, targets: &Arc<Targets>, notes: &Folder) -> Result<Ledger> {
    let observed = Arc::clone(targets);
    let run = asyn_pmap::<job>(gate::input(plan, Arc::clone(targets)))
        .shared(notes.clone())
        .processes(plan.workers)
        .ordered(plan.ordered)
        .memory(MemoryLimits::new().max_rss_bytes(MAX_RSS_BYTES))
        .workers(workplace::options(notes)?)
        .observe(move |event| observed.observe(event))
        .start()
        .context("failed to start the pool")?;
    let mut ledger = Ledger::new(plan.tasks, plan.ordered);
    for (count, (index, outcome)) in run.indexed().into_iter().enumerate() {
        ledger.enter(plan.job(index), outcome.map_err(End::from));
        targets.yielded.store(count as u64 + 1, Ordering::Relaxed);
    }
    Ok(ledger)
}

//! The run itself.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use mt_pool::asyn_pmap;

use super::{
    gate, killer, ledger::Ledger, left_behind::Belongings, plan::Plan, targets::Targets,
    verdict::Found,
};
use crate::{report::Report, tasks::mixed};

/// The items of the run that goes before, quietly: what a process makes once and keeps (the thread
/// that starts workers, for one) is there after it.
const WARM_UP: u64 = 1000;

/// Does what the plan says.
pub fn run(plan: Plan) -> Result<Report> {
    warm_up(&plan)?;
    let before = Belongings::now()?;
    let targets = Arc::new(Targets::new(plan.seed));
    let begun = Instant::now();
    let (drained, took) = thread::scope(|scope| {
        scope.spawn(|| killer::kill(&plan, &targets));
        let drained = drain(&plan, &targets);
        let took = begun.elapsed();
        targets.lock().over = true;
        targets.tell();
        (drained, took)
    });
    let found = Found {
        plan,
        took,
        ledger: &drained?,
        taken: targets.taken.load(Ordering::Relaxed),
        kills: &targets.lock(),
        left: before.left_behind()?,
    };
    Ok(found.report())
}

fn warm_up(plan: &Plan) -> Result<()> {
    let run = asyn_pmap::<mixed>(0..WARM_UP)
        .processes(plan.workers)
        .start()
        .context("failed to start the pool")?;
    let failed = run.into_iter().filter(Result::is_err).count();
    ensure!(failed == 0, "{failed} items of the quiet run have no value");
    Ok(())
}

/// Runs the items and enters every outcome. When it returns, the run is over and dropped.
fn drain(plan: &Plan, targets: &Arc<Targets>) -> Result<Ledger> {
    let observed = Arc::clone(targets);
    let run = asyn_pmap::<mixed>(gate::input(plan, Arc::clone(targets)))
        .processes(plan.workers)
        .ordered(plan.ordered)
        .observe(move |event| observed.observe(event))
        .start()
        .context("failed to start the pool")?;
    let mut ledger = Ledger::new(plan.tasks, plan.ordered);
    for (count, (index, outcome)) in run.indexed().into_iter().enumerate() {
        ledger.enter(index, outcome);
        targets.yielded.store(count as u64 + 1, Ordering::Relaxed);
    }
    Ok(ledger)
}

//! The run itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use mt_pool::asyn_pmap;
use rand::{SeedableRng, rngs::StdRng};

use super::{
    gate::Gate, killer, ledger::Ledger, left_behind::Belongings, plan::Plan, targets::Targets,
    verdict::Verdict,
};
use crate::tasks::mixed;

/// A run that yields nothing for so long hangs.
const STALL: Duration = Duration::from_secs(60);
/// The items of the run that goes before, quietly: what a process makes once and keeps (the thread
/// that starts workers, for one) is there after it.
const WARM_UP: u64 = 1000;

/// Does what the plan says.
///
/// # Errors
/// When the run does not start, or the system does not tell what this process owns.
pub fn run(plan: Plan) -> Result<Verdict> {
    warm_up(&plan)?;
    let before = Belongings::now()?;
    let targets = Arc::new(Targets::new(plan.seed));
    let yielded = Arc::new(AtomicU64::new(0));
    let taken = Arc::new(AtomicU64::new(0));
    let (end, ended) = sync_channel(1);
    let watchdog = thread::spawn({
        let yielded = Arc::clone(&yielded);
        move || watch(&yielded, &ended)
    });
    let killer = thread::spawn({
        let targets = Arc::clone(&targets);
        move || killer::kill(&plan, &targets)
    });

    let begun = Instant::now();
    let drained = drain(&plan, &targets, &yielded, &taken);
    let took = begun.elapsed();

    targets.lock().over = true;
    targets.tell();
    drop(end);
    let _ = killer.join();
    let _ = watchdog.join();
    let ledger = drained?;
    let taken = taken.load(Ordering::Relaxed);
    let left = before.left_behind()?;
    Ok(Verdict::of(
        plan,
        (took, taken),
        &ledger,
        &targets.lock(),
        left,
    ))
}

fn warm_up(plan: &Plan) -> Result<()> {
    let run = asyn_pmap::<mixed>(0..WARM_UP)
        .pool_processes(plan.workers)
        .start()
        .context("failed to start the pool")?;
    let failed = run.into_iter().filter(Result::is_err).count();
    anyhow::ensure!(
        failed == 0,
        "{failed} items of the quiet run before have no value"
    );
    Ok(())
}

/// Runs the items and enters every outcome. When it returns, the run is over and dropped.
fn drain(
    plan: &Plan,
    targets: &Arc<Targets>,
    yielded: &AtomicU64,
    taken: &Arc<AtomicU64>,
) -> Result<Ledger> {
    let places = plan.places(&mut StdRng::seed_from_u64(plan.seed ^ 2));
    let input = Gate::new(plan.tasks, places, Arc::clone(targets), Arc::clone(taken));
    let observed = Arc::clone(targets);
    let run = asyn_pmap::<mixed>(input)
        .pool_processes(plan.workers)
        .pool_ordered(!plan.unordered)
        .observe(move |event| observed.observe(event))
        .start()
        .context("failed to start the pool")?;
    let mut ledger = Ledger::new(plan.tasks, !plan.unordered);
    for (count, (index, outcome)) in run.indexed().into_iter().enumerate() {
        ledger.enter(index, outcome);
        yielded.store(count as u64 + 1, Ordering::Relaxed);
    }
    Ok(ledger)
}

/// Ends this process when the run hangs: there is no other way out of a wait for an outcome. The
/// workers go with it.
fn watch(yielded: &AtomicU64, ended: &Receiver<()>) {
    let mut last = 0;
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(STALL) {
        let now = yielded.load(Ordering::Relaxed);
        if now == last {
            eprintln!("error: no outcome for {STALL:?} after {now} outcomes: the run hangs");
            std::process::exit(3);
        }
        last = now;
    }
}

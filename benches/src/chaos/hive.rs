//! The same with a queen and her bees.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::{
    StreamExt,
    future::{Either, select},
    stream,
};
use mt_beehive::{BeehiveRun, Hive, hive_of};
use mt_test_kit::Folder;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::{
    job::{Job, Jobber, JobberTasks},
    ledger::{End, Ledger},
    plan::Plan,
    targets::Targets,
    workplace,
};

/// The delegates in flight.
const IN_FLIGHT: usize = 1024;
/// How often the hive is asked for its bees.
const LOOK: Duration = Duration::from_millis(2);

fn of_bees(plan: &Plan, notes: &Folder) -> Result<BeehiveRun<Jobber>> {
    let run = hive_of::<Jobber>(notes.clone()).processes(plan.workers);
    Ok(run.workers(workplace::options(notes)?))
}

/// A quiet hive: what a process makes once and keeps is there after it.
pub(super) fn warm_up(plan: &Plan, notes: &Folder, tasks: u64) -> Result<()> {
    let run = of_bees(plan, notes)?.run(async |hive| {
        let jobs = (0..tasks).map(|n| hive.job(Job { n, fault: None }));
        let ended = stream::iter(jobs).buffer_unordered(IN_FLIGHT);
        Ok::<_, anyhow::Error>(
            ended
                .filter(|end| std::future::ready(end.is_err()))
                .count()
                .await,
        )
    });
    let failed = runtime()?.block_on(run).context("failed to run the hive")?;
    ensure!(
        failed == 0,
        "{failed} tasks of the quiet hive have no value"
    );
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_time().build()?)
}

/// Delegates the tasks and enters every outcome. When it returns, the hive is dead.
pub(super) fn drain(plan: &Plan, targets: &Arc<Targets>, notes: &Folder) -> Result<Ledger> {
    let run = of_bees(plan, notes)?.run(async |hive| {
        let watch = std::pin::pin!(watch(&hive, targets));
        let work = std::pin::pin!(delegate_all(plan, targets, &hive));
        match select(work, watch).await {
            Either::Left((ledger, _)) => Ok::<_, anyhow::Error>(ledger),
            Either::Right((never, _)) => match never {},
        }
    });
    let losses = Losses(Arc::clone(targets));
    let guard = tracing::subscriber::set_global_default(losses);
    guard.context("somebody else listens to what hives tell")?;
    runtime()?.block_on(run).context("failed to run the hive")
}

async fn delegate_all(plan: &Plan, targets: &Targets, hive: &Hive<Jobber>) -> Ledger {
    let mut ledger = Ledger::new(plan.tasks, false);
    let jobs = (0..plan.tasks).map(|n| async move {
        targets.taken.fetch_add(1, Relaxed);
        (n, hive.job(plan.job(n)).await)
    });
    let mut ended = stream::iter(jobs).buffer_unordered(IN_FLIGHT);
    while let Some((n, end)) = ended.next().await {
        ledger.enter(plan.job(n), end.map_err(End::from));
        targets.yielded.fetch_add(1, Relaxed);
    }
    ledger
}

/// Tells the killer of the bees.
async fn watch(hive: &Hive<Jobber>, targets: &Targets) -> std::convert::Infallible {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let bees = hive.bees().await;
        targets.lock().on_bees(&bees, Instant::now());
        targets.tell();
    }
}

/// Hears what the hive tells of bees that are lost.
struct Losses(Arc<Targets>);

/// The fields of what is told.
#[derive(Default)]
struct Lost {
    bee: Option<u32>,
    why: Option<String>,
}

impl Subscriber for Losses {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut lost = Lost::default();
        event.record(&mut lost);
        if let (Some(bee), Some(why)) = (lost.bee, lost.why) {
            self.0.lock().on_lost(bee, why);
            self.0.tell();
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for Lost {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "bee" {
            self.bee = u32::try_from(value).ok();
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "why" {
            self.why = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

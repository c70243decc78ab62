//! P10: everything that watches a run, against nothing of it.

use std::{hint::black_box, sync::OnceLock, time::Duration};

use anyhow::{Context, Result, anyhow};
use mt_pool::{
    asyn_pmap,
    limits::{Deadlines, WorkerOptions},
    supervision::LivenessPolicy,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{fmt, layer::SubscriberExt, registry, reload, util::SubscriberInitExt};

use super::{Reach, Row, pooled::warm_pool};
use crate::{
    Effort,
    cpu::{Job, processors},
    measure::Sample,
    tasks::spin,
};

/// How much work a job is for each processor.
const WORK: Duration = Duration::from_millis(500);
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let row = |micros: u64| {
        let count = effort.count(WORK.as_micros() as u64 * processors() as u64 / micros);
        let job = move || Job::of(count, Duration::from_micros(micros));
        Row {
            id: "P10",
            variant: format!("{micros} µs"),
            title: "deadlines, heartbeats, tracing at INFO, progress and events, plain fn; against none of it".to_owned(),
            unit: "k tasks/s",
            reach: Reach::AtLeast(0.97),
            ours: Box::new(move || watched(job())),
            limit: Box::new(move || unwatched(job())),
            peers: Vec::new(),
        }
    };
    vec![row(10), row(1000)]
}

fn watched(job: Job) -> Result<Sample> {
    let pool = warm_pool::<spin>(processors())?;
    trace(LevelFilter::INFO)?;
    let sample = job.timed(|| {
        let deadlines = Deadlines::new().queue(HOUR).soft(HOUR).hard(HOUR);
        let workers = WorkerOptions::new().forward_tracing(LevelFilter::INFO);
        let run = asyn_pmap::<spin>(job.tasks())
            .deadlines(deadlines)
            .workers(workers);
        let run = run
            .pool(&pool)
            .start()
            .context("failed to start the pool")?;
        let events = run.events();
        let run = run.on_progress(|progress| {
            black_box(progress.done);
        });
        let mut sum = 0;
        for outcome in run {
            sum += outcome.map_err(|error| anyhow!("an item has no value: {error}"))?;
        }
        drop(events);
        Ok(sum)
    });
    trace(LevelFilter::OFF)?;
    sample
}

fn unwatched(job: Job) -> Result<Sample> {
    let pool = warm_pool::<spin>(processors())?;
    job.timed(|| {
        let liveness = LivenessPolicy {
            interval: HOUR,
            ..LivenessPolicy::default()
        };
        let workers = WorkerOptions::new()
            .liveness(liveness)
            .forward_tracing(LevelFilter::OFF);
        super::pooled::sum(asyn_pmap::<spin>(job.tasks()).workers(workers).pool(&pool))
    })
}

/// From which level on the subscriber of this program, which writes nowhere, takes events.
fn trace(least: LevelFilter) -> Result<()> {
    static FILTER: OnceLock<reload::Handle<LevelFilter, registry::Registry>> = OnceLock::new();
    let filter = FILTER.get_or_init(|| {
        let (filter, handle) = reload::Layer::new(LevelFilter::OFF);
        let nowhere = fmt::layer().with_writer(std::io::sink);
        registry().with(filter).with(nowhere).init();
        handle
    });
    filter.reload(least).context("failed to set the level")
}

//! P7: tasks that keep a processor busy, as many workers as processors. P7m: short ones with long ones among them.
//! P7a: one worker alone.

use std::{sync::Once, time::Duration};

use anyhow::Result;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::{Reach, Row, Run, pooled::pooled};
use crate::{
    Effort,
    cpu::{Job, processors},
    measure::Sample,
    peers,
    tasks::{spin, spin_async},
};

/// How long tasks take in microseconds, and what ours should be of rayon then.
const TIMES: [(f64, Reach); 5] = [
    (0.1, Reach::Shown),
    (1.0, Reach::AtLeast(0.7)),
    (10.0, Reach::AtLeast(0.9)),
    (100.0, Reach::AtLeast(0.95)),
    (1000.0, Reach::AtLeast(0.98)),
];
/// How much work a job is for each processor: enough for a run of half a second.
const WORK: Duration = Duration::from_millis(500);

/// The two ways to write a task.
#[derive(Clone, Copy)]
enum Style {
    Plain,
    Async,
}

impl Style {
    const ALL: [(Self, &'static str); 2] = [(Self::Plain, "plain fn"), (Self::Async, "async fn")];

    fn run(self, job: Job, workers: usize, ordered: bool) -> Result<Sample> {
        match self {
            Self::Plain => pooled::<spin>(job, workers, ordered),
            Self::Async => pooled::<spin_async>(job, workers, ordered),
        }
    }
}

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    for (micros, reach) in TIMES {
        for (style, ordered) in ways() {
            rows.push(against_rayon(effort, micros, reach, style, ordered));
        }
    }
    for (style, ordered) in ways() {
        rows.extend(mixed(effort, style, ordered));
    }
    for (style, name) in Style::ALL {
        let job = move || Job::of(effort.count(50_000), Duration::from_micros(10));
        rows.push(Row {
            id: "P7a",
            variant: name.to_owned(),
            title:
                "tasks of 10 µs in one warm worker; against a loop in one thread of this program"
                    .to_owned(),
            unit: "k tasks/s",
            reach: Reach::AtLeast(0.9),
            ours: Box::new(move || style.run(job(), 1, true)),
            limit: Box::new(move || job().alone()),
            peers: Vec::new(),
        });
    }
    rows
}

/// Each style, ordered and unordered.
fn ways() -> impl Iterator<Item = ((Style, &'static str), bool)> {
    let styles = Style::ALL.into_iter();
    styles.flat_map(|style| [(style, true), (style, false)])
}

fn variant(what: &str, style: &str, ordered: bool) -> String {
    let order = if ordered { "ordered" } else { "unordered" };
    format!("{what}, {style}, {order}")
}

fn against_rayon(
    effort: Effort,
    micros: f64,
    reach: Reach,
    (style, name): (Style, &str),
    ordered: bool,
) -> Row {
    let time = Duration::from_secs_f64(micros / 1e6);
    // The quickest ones cost more than they take.
    let work = WORK.min(1_000_000 * time);
    let count = work.as_nanos() as u64 * processors() as u64 / time.as_nanos() as u64;
    let job = move || Job::of(effort.count(count), time);
    // Once for each time: results of peers come in order, of functions that are plain.
    let peers = match (style, ordered) {
        (Style::Plain, true) => peers::of_spin(effort.count(count), time, processors()),
        _ => Vec::new(),
    };
    Row {
        id: "P7",
        variant: variant(&format!("{micros} µs"), name, ordered),
        title: format!(
            "tasks that keep a processor busy, {} warm workers; against rayon with as many threads and the same function",
            processors()
        ),
        unit: "k tasks/s",
        reach,
        ours: Box::new(move || style.run(job(), processors(), ordered)),
        limit: Box::new(move || in_rayon(job(), ordered)),
        peers,
    }
}

fn in_rayon(job: Job, ordered: bool) -> Result<Sample> {
    static WARM: Once = Once::new();
    let tasks = |job: Job| {
        let numbers = (0..job.count).into_par_iter();
        numbers.map(move |n| spin(job.rounds(n)))
    };
    WARM.call_once(|| {
        let warm_up = Job::of(20 * processors() as u64, Duration::from_millis(1));
        let _: u64 = tasks(warm_up).sum();
    });
    job.timed(|| match ordered {
        true => Ok(tasks(job).collect::<Vec<u64>>().into_iter().sum()),
        false => Ok(tasks(job).sum()),
    })
}

fn mixed(effort: Effort, (style, name): (Style, &str), ordered: bool) -> [Row; 2] {
    let row = |what, job: fn(Effort) -> Job| {
        let limit: Run = Box::new(move || job(effort).ideal(processors()));
        Row {
            id: "P7m",
            variant: variant(what, name, ordered),
            title: format!(
                "short tasks with long ones among them, {0} warm workers; against {0} threads that do an equal share of the \
                 work each",
                processors()
            ),
            unit: "k tasks/s",
            reach: Reach::AtLeast(0.9),
            ours: Box::new(move || style.run(job(effort), processors(), ordered)),
            limit,
            peers: Vec::new(),
        }
    };
    [
        row("1 % of 10 ms among 10 µs", one_percent),
        row("one of 1 s among 1 ms", one_long),
    ]
}

fn one_percent(effort: Effort) -> Job {
    let usual = Job::of(effort.pick(10_000, 200), Duration::from_micros(10));
    usual.with_rare(100, Duration::from_millis(10))
}

fn one_long(effort: Effort) -> Job {
    let count = effort.pick(10_000, 100);
    let usual = Job::of(count, Duration::from_millis(1));
    usual.with_rare(count, Duration::from_millis(count / 10))
}

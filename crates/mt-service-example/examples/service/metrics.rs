//! What the service counts, in the text format of Prometheus (exposition format 0.0.4).

use std::fmt::{Display, Write as _};

use mt_beehive::stats::{BeeStatus, HiveStats};
use mt_pool::{PoolStats, stats::Histogram};

/// What that format is told as.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All there is to say of a pool, as text.
pub(crate) fn of_pool(places_free: usize, stats: &PoolStats) -> String {
    let mut text = Exposition::default();
    let calls = &stats.calls;
    text.gauge("places_free", "Room for further requests.", places_free);
    text.gauge("workers", "Worker processes.", stats.workers);
    text.gauge("workers_idle", "Those without a run.", stats.idle_workers);
    text.counter("workers_started_total", "Starts.", stats.workers_started);
    let deaths = stats.deaths.iter();
    text.counters("workers_died_total", "Deaths.", "cause", deaths);
    text.gauge("calls_waiting", "Waiting for a place.", calls.waiting);
    text.gauge("calls_queued", "Waiting for a worker.", calls.queued);
    text.gauge("calls_in_workers", "In a worker.", calls.in_workers);
    text.counter("calls_made_total", "Renderings begun.", calls.made);
    let ended = calls.ended.iter();
    let ended = ended.map(|(outcome, count)| (outcome.name(), count));
    text.counters("calls_ended_total", "Renderings ended.", "outcome", ended);
    text.histogram("call_seconds", "From call to outcome.", &calls.latency);
    text.histogram("call_queue_seconds", "In the queue.", &calls.queue_time);
    text.histogram("call_worker_seconds", "In a worker.", &calls.worker_time);
    text.0
}

/// The same of a hive.
pub(crate) fn of_hive(places_free: usize, stats: &HiveStats, bees: &[BeeStatus]) -> String {
    let mut text = Exposition::default();
    let in_bees: usize = bees.iter().map(|bee| bee.tasks).sum();
    let ended = [
        ("succeeded", stats.succeeded),
        ("raised", stats.raised),
        ("cancelled", stats.cancelled),
    ];
    text.gauge("places_free", "Room for further requests.", places_free);
    text.gauge("workers", "Worker bees.", bees.len());
    text.counter("workers_started_total", "Starts.", stats.bees_started);
    text.counter("workers_died_total", "Unasked.", stats.bees_lost);
    text.gauge("calls_in_workers", "With a worker bee.", in_bees);
    text.counter("calls_made_total", "Renderings begun.", stats.delegated);
    text.counters(
        "calls_ended_total",
        "Renderings ended.",
        "outcome",
        ended.into_iter(),
    );
    text.counter("calls_begun_again_total", "Retries.", stats.begun_again);
    text.0
}

#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, "", value);
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        counts: impl Iterator<Item = (&'static str, u64)>,
    ) {
        self.family(name, "counter", help);
        for (value, count) in counts {
            self.sample(name, &format!("{label}=\"{value}\""), count);
        }
    }

    fn histogram(&mut self, name: &str, help: &str, times: &Histogram) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in times.buckets() {
            let bound = format!("le=\"{}\"", bound.as_secs_f64());
            self.sample(&bucket, &bound, count);
        }
        self.sample(&bucket, "le=\"+Inf\"", times.count());
        self.sample(&format!("{name}_sum"), "", times.sum().as_secs_f64());
        self.sample(&format!("{name}_count"), "", times.count());
    }

    /// What the samples that follow are.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP service_{name} {help}"));
        self.line(format_args!("# TYPE service_{name} {kind}"));
    }

    fn sample(&mut self, name: &str, label: &str, value: impl Display) {
        match label {
            "" => self.line(format_args!("service_{name} {value}")),
            _ => self.line(format_args!("service_{name}{{{label}}} {value}")),
        }
    }

    fn line(&mut self, line: impl Display) {
        writeln!(self.0, "{line}").expect("a string takes all");
    }
}

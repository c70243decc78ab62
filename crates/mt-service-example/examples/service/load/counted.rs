//! What the service says that it has counted.

use std::{io, time::Duration};

use tokio::time::{Instant, sleep};

use super::client;

/// How long it may take until all that was given up has ended.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often that is looked at.
const REST: Duration = Duration::from_millis(5);

/// A scrape.
pub(crate) struct Counted(String);

impl Counted {
    /// What it says when it has nothing to do; the last that it has said, if it never adds up.
    pub(crate) async fn at_rest(port: u16) -> io::Result<Self> {
        let begun = Instant::now();
        loop {
            let counted = Self(client::get(port, "/metrics").await?.body);
            if counted.adds_up() || begun.elapsed() > PATIENCE {
                return Ok(counted);
            }
            sleep(REST).await;
        }
    }

    /// The samples of a metric, added up.
    fn sum(&self, name: &str) -> u64 {
        let samples = self.0.lines().filter_map(|line| {
            let (sample, value) = line.rsplit_once(' ')?;
            let is_it = sample.split('{').next() == Some(name);
            value.parse::<u64>().ok().filter(|_| is_it)
        });
        samples.sum()
    }

    /// The worker processes that were ever started.
    pub(crate) fn workers_started(&self) -> u64 {
        self.sum("service_workers_started_total")
    }

    /// Whether every call that was made has come to something, nothing is left of any, and each outcome of those that
    /// were not refused has a time.
    pub(crate) fn adds_up(&self) -> bool {
        let made = self.sum("service_calls_made_total");
        // A hive takes no times.
        let is_timed = self.0.contains("service_call_seconds_count");
        let timed = self.sum("service_call_seconds_count");
        let waits = ["waiting", "queued", "in_workers"];
        let waits = waits.map(|gauge| self.sum(&format!("service_calls_{gauge}")));
        made > 0
            && made == self.sum("service_calls_ended_total")
            && (!is_timed || made == timed)
            && waits == [0; 3]
    }

    /// All but zeros, buckets and what they are.
    pub(crate) fn in_short(&self) -> String {
        let lines = self.0.lines().filter(|line| {
            !line.starts_with('#') && !line.contains("_bucket{") && !line.ends_with(" 0")
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

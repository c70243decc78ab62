//! How far the run is: on stderr, when that is a terminal, and for whoever waits for a point of it.

use std::{convert::Infallible, fmt, future, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressFinish, ProgressState, ProgressStyle};
use tokio::sync::watch;

const TEMPLATE: &str = "{wide_bar} {human_pos}/{human_len} rows, {msg}{rate}, {eta} left";

#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    answered: Arc<watch::Sender<usize>>,
}

impl Progress {
    pub(crate) fn new(rows: usize, is_shown: bool) -> Self {
        let bar = if is_shown {
            let bar = ProgressBar::new(rows as u64);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.with_style(style())
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar: bar.with_finish(ProgressFinish::AndClear),
            answered: Arc::new(watch::Sender::new(0)),
        }
    }

    /// One more row has its outcome.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
        self.answered.send_modify(|answered| *answered += 1);
    }

    /// Waits until so many rows have theirs.
    pub(crate) async fn reached(&self, rows: usize) {
        let mut answered = self.answered.subscribe();
        let reached = answered.wait_for(|&answered| answered >= rows).await;
        reached.expect("its sender is borrowed here");
    }

    /// Says that Ctrl-C has come, when it comes. Never ends.
    pub(crate) async fn interrupted(&self, ctrl_c: impl Future<Output = ()>) -> Infallible {
        ctrl_c.await;
        self.bar.suspend(|| {
            eprintln!("predict: interrupted: finishing what has begun; once more to stop at once");
        });
        future::pending().await
    }

    /// So many worker bees were killed.
    pub(crate) fn killed(&self, bees: usize) {
        self.bar.set_message(format!("{bees} bees killed, "));
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(TEMPLATE)
        .expect("the template is well-formed")
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{:.0} rows/s", state.per_sec()); // into memory
        })
}

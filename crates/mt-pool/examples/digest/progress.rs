//! The progress on stderr, when that is a terminal.

use std::{fmt, time::Duration};

use indicatif::{HumanBytes, ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

use crate::tally::Tally;

/// While nobody knows how many files there are.
const FINDING: &str = "{spinner} {human_pos} files, {msg}, {rate}, {elapsed}";
/// From the end of the walk on.
const KNOWN: &str = "{wide_bar} {human_pos}/{human_len} files, {msg}, {rate}, {eta} left";

#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Whether it shows that the walk is over.
    is_known: bool,
}

impl Progress {
    pub(crate) fn new(is_shown: bool) -> Self {
        let bar = if is_shown {
            let bar = ProgressBar::no_length();
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.with_style(style(FINDING))
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar: bar
                .with_message("0 B")
                .with_finish(ProgressFinish::AndClear),
            is_known: false,
        }
    }

    /// The bar, for the run to move.
    pub(crate) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// One more outcome is there.
    pub(crate) fn on_outcome(&mut self, tally: &Tally) {
        if self.bar.is_hidden() {
            return;
        }
        if !self.is_known && self.bar.length().is_some() {
            self.is_known = true;
            self.bar.set_style(style(KNOWN));
        }
        let bytes = HumanBytes(tally.total.size_bytes);
        self.bar.set_message(bytes.to_string());
    }

    /// Prints a line to stderr, above the progress.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("digest: {line}"));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are well-formed")
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{:.0} files/s", state.per_sec()); // into memory
        })
}

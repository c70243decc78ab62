//! The progress on stderr, when that is a terminal.

use std::{fmt, time::Duration};

use indicatif::{HumanBytes, ProgressBar, ProgressState, ProgressStyle};

use crate::tally::Tally;

/// While nobody knows how many files there are.
const FINDING: &str = "{spinner} {human_pos} files, {msg}, {rate}, {elapsed}";
/// From the end of the walk on.
const KNOWN: &str = "{wide_bar} {human_pos}/{human_len} files, {msg}, {rate}, {eta} left";

#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(is_shown: bool) -> Self {
        if !is_shown {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::no_length()
            .with_style(style(FINDING))
            .with_message("0 B");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// One more outcome is there; `total` when the walk is over.
    pub(crate) fn on_outcome(&self, tally: &Tally, total: Option<u64>) {
        if self.0.is_hidden() {
            return;
        }
        if let (None, Some(total)) = (self.0.length(), total) {
            self.0.set_style(style(KNOWN));
            self.0.set_length(total);
        }
        let bytes = HumanBytes(tally.total.size_bytes);
        self.0.set_message(bytes.to_string());
        self.0.inc(1);
    }

    /// Prints a line to stderr, above the progress.
    pub(crate) fn say(&self, line: &str) {
        self.0.suspend(|| eprintln!("digest: {line}"));
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are well-formed")
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{:.0} files/s", state.per_sec()); // into memory
        })
}

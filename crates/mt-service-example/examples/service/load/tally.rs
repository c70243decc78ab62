//! What became of the requests, counted and shown.

use std::{collections::BTreeMap, fmt::Display, io, process::ExitCode, time::Duration};

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{client::Answer, document::Document};

/// What is shown of what went wrong.
const SHOWN: usize = 5;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    answers: BTreeMap<(Document, u16), u64>,
    /// How long each good document took.
    pub(crate) took: Vec<Duration>,
    /// How long the rendering of each took, as the service says.
    pub(crate) renderings: Vec<Duration>,
    /// The connections that the service has closed by word.
    pub(crate) closed: u64,
    /// Answers that may not be, or never came.
    pub(crate) wrong: Vec<String>,
    refused: Option<io::Error>,
}

impl Tally {
    pub(crate) fn answered(&mut self, document: Document, answer: &Answer, took: Duration) {
        *self.answers.entry((document, answer.status)).or_default() += 1;
        self.closed += u64::from(answer.closes);
        if document == Document::Good {
            self.took.push(took);
            self.renderings.extend(answer.rendering);
        }
        let says_what = document != Document::Deadly || answer.body.contains("signal");
        if !document.may_be(answer.status) || !says_what {
            let (status, body) = (answer.status, answer.body.trim_end());
            self.wrong.push(format!("{document:?}: {status} {body}"));
        }
    }

    /// The connection has ended before the answer.
    pub(crate) fn lost(&mut self, document: Document, error: &io::Error) {
        self.wrong.push(format!("{document:?}: lost, {error}"));
    }

    /// No connection was made, which is wrong unless the service was to end.
    pub(crate) fn refused(&mut self, error: io::Error) {
        if self.closed == 0 {
            self.wrong.push(format!("not connected: {error}"));
        }
        self.refused = Some(error);
    }

    pub(crate) fn answers(&self) -> u64 {
        self.answers.values().sum()
    }

    pub(crate) fn join(&mut self, other: Self) {
        for (answer, count) in other.answers {
            *self.answers.entry(answer).or_default() += count;
        }
        self.took.extend(other.took);
        self.renderings.extend(other.renderings);
        self.closed += other.closed;
        self.wrong.extend(other.wrong);
        self.refused = self.refused.take().or(other.refused);
    }

    /// The answers to all but good documents.
    fn of_the_bad(&self) -> String {
        let bad = self
            .answers
            .iter()
            .filter(|((document, _), _)| *document != Document::Good);
        let bad = bad.map(|((document, status), count)| format!("{document:?} {status}: {count}"));
        bad.collect::<Vec<_>>().join(", ").to_lowercase()
    }
}

/// So many clients for a while.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) what: &'static str,
    pub(crate) clients: usize,
    pub(crate) kills: u64,
    pub(crate) tally: Tally,
}

impl Part {
    pub(crate) fn has_pages(&self) -> bool {
        self.tally.took.len() >= self.clients
    }

    fn row(&self) -> [String; 7] {
        let mut took = self.tally.took.clone();
        took.sort_unstable();
        let quantile = |part: f64| {
            let took = quantile(&took, part);
            took.map_or("-".to_owned(), |took| {
                format!("{:.2}", took.as_secs_f64() * 1e3)
            })
        };
        let pages = self.tally.answers.get(&(Document::Good, 200));
        [
            format!("{} {}", self.clients, self.what),
            pages.copied().unwrap_or_default().to_string(),
            (self.tally.took.len() as u64 - pages.copied().unwrap_or_default()).to_string(),
            quantile(0.5),
            quantile(0.99),
            self.kills.to_string(),
            self.tally.of_the_bad(),
        ]
    }
}

/// The one of these, from the least to the most, below which such a part of them is.
pub(crate) fn quantile<T: Copy>(sorted: &[T], part: f64) -> Option<T> {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied()
}

/// A row for each part.
pub(crate) fn table(parts: &[Part], last: &Part) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "clients",
        "good: 200",
        "others",
        "p50 ms",
        "p99 ms",
        "workers killed",
        "answers to bad documents, from one more client",
    ]);
    for part in parts.iter().chain([last]) {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row(part.row().map(right));
    }
    table
}

/// What was looked at, each told as it is added.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    failed: usize,
}

impl Checks {
    pub(crate) fn that(&mut self, what: &str, is_so: bool) {
        println!("{} {what}", if is_so { "ok    " } else { "FAILED" });
        self.failed += usize::from(!is_so);
    }

    /// Passes if there are none of these; else the first few are shown.
    pub(crate) fn none(&mut self, what: &str, found: impl Iterator<Item = impl Display>) {
        let found: Vec<_> = found.collect();
        self.that(what, found.is_empty());
        for one in found.iter().take(SHOWN) {
            println!("       {one}");
        }
    }

    pub(crate) fn finish(self) -> ExitCode {
        match self.failed {
            0 => ExitCode::SUCCESS,
            failed => {
                println!("{failed} checks failed");
                ExitCode::FAILURE
            }
        }
    }
}

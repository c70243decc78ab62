//! What is seen: the progress, a line for each object, the table.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use mt_pool::TaskError;
use serde::Serialize;

use crate::{
    cli::Args,
    task::{Mirrored, NotMirrored, Object},
};

/// The whole run's figures.
pub(crate) struct Totals {
    pub(crate) elapsed: Duration,
    pub(crate) kills: Option<u64>,
    pub(crate) most_resident_bytes: u64,
}

/// Shows outcomes and counts them.
pub(crate) struct Show {
    is_json: bool,
    bar: ProgressBar,
    mirrored: Counts,
    current: Counts,
    failed: u64,
}

#[derive(Default)]
struct Counts {
    objects: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    url: &'a str,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Show {
    pub(crate) fn new(args: &Args, missing: &[Object]) -> Self {
        let bytes = missing.iter().map(|object| object.size_bytes).sum();
        // Lines that go by on the same terminal are progress enough.
        let goes_by = args.json && io::stdout().is_terminal();
        let is_shown = !(args.no_progress || goes_by);
        let bar = match is_shown {
            true => ProgressBar::new(bytes).with_style(
                ProgressStyle::with_template(
                    "{wide_bar} {bytes}/{total_bytes}, {msg}, {bytes_per_sec}, {eta} left",
                )
                .expect("the template is well-formed"),
            ),
            false => ProgressBar::hidden(),
        };
        Self {
            is_json: args.json,
            bar,
            mirrored: Counts::default(),
            current: Counts::default(),
            failed: 0,
        }
    }

    /// An object has been mirrored by an earlier run.
    pub(crate) fn is_current(&mut self, url: &str, mirrored: &Mirrored) -> io::Result<()> {
        self.current.add(mirrored);
        self.line(url, "current", Ok(mirrored))
    }

    pub(crate) fn outcome(
        &mut self,
        object: &Object,
        outcome: Result<Mirrored, TaskError<NotMirrored>>,
    ) -> io::Result<()> {
        self.bar.inc(object.size_bytes);
        match outcome {
            Ok(mirrored) => {
                self.mirrored.add(&mirrored);
                let message = format!("{} objects", HumanCount(self.mirrored.objects));
                self.bar.set_message(message);
                self.line(&object.url, "mirrored", Ok(&mirrored))
            }
            Err(error) => {
                self.failed += 1;
                let error = error.to_string();
                self.bar
                    .suspend(|| eprintln!("mirror: {}: {error}", object.url));
                self.line(&object.url, "failed", Err(error))
            }
        }
    }

    /// Shows the table. Returns how many failed.
    pub(crate) fn end(self, totals: Totals) -> u64 {
        self.bar.finish_and_clear();
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(["", "objects", "bytes"]);
        for (name, counts) in [("mirrored", &self.mirrored), ("current", &self.current)] {
            let bytes = HumanBytes(counts.bytes).to_string();
            table.add_row([
                name.to_owned(),
                HumanCount(counts.objects).to_string(),
                bytes,
            ]);
        }
        table.add_row([
            "failed".to_owned(),
            HumanCount(self.failed).to_string(),
            String::new(),
        ]);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let seconds = totals.elapsed.as_secs_f64();
        let mut text = format!(
            "{table}\n{seconds:.2} s; a worker had {} in memory at most",
            HumanBytes(totals.most_resident_bytes)
        );
        if let Some(kills) = totals.kills {
            text += &format!("; {kills} workers were killed");
        }
        match self.is_json {
            true => eprintln!("{text}"),
            false => println!("{text}"),
        }
        self.failed
    }

    fn line(&self, url: &str, outcome: &str, what: Result<&Mirrored, String>) -> io::Result<()> {
        if !self.is_json {
            return Ok(());
        }
        let line = Line {
            url,
            outcome,
            size_bytes: what.as_ref().ok().map(|it| it.size_bytes),
            sha256: what.as_ref().ok().map(|it| it.sha256.as_str()),
            error: what.err(),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        io::stdout().write_all(&text)
    }
}

impl Counts {
    fn add(&mut self, mirrored: &Mirrored) {
        self.objects += 1;
        self.bytes += mirrored.size_bytes;
    }
}

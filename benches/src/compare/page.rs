//! A comparison as a part of `docs/benchmarks.md`, with its plots beside that page.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, Result};

use super::{measured::Measured, plot::Plot, text};
use crate::{cpu::processors, measure::SHARES};

/// The folder of the page.
pub(super) const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
const PAGE: &str = "benchmarks.md";
const BEGIN: &str = "<!-- comparison -->\n";
const END: &str = "<!-- end of comparison -->";

/// Writes the part of the page in this folder between its marks anew, and the plots.
pub(super) fn write(folder: &Path, all: &[Measured], reps: u32) -> Result<()> {
    let path = folder.join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("failed to read {path:?}"))?;
    let marked = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = marked.with_context(|| format!("{path:?} has no marks"))?;
    let mut part = method(reps);
    for (name, plot) in [("tasks", tasks_plot(all)), ("latency", latency_plot(all))] {
        if let Some(svg) = plot.svg() {
            let file = format!("benchmarks-{name}.svg");
            fs::write(folder.join(&file), svg)?;
            let _ = writeln!(part, "\n![{}]({file})", plot.title);
        }
    }
    part += &rows(all);
    part += &peers(all);
    part += &lists(all);
    fs::write(&path, [before, BEGIN, &part, END, after].concat())?;
    Ok(())
}

/// On what, when and how it was measured.
fn method(reps: u32) -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let models = read("/proc/cpuinfo");
    let model = models
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |model| {
        model.trim_start_matches([' ', '\t', ':'])
    });
    let memory = read("/proc/meminfo");
    let memory = memory
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok());
    let memory: u64 = memory.unwrap_or_default();
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{} {}, {} processors ({model}), {} GiB of memory; load {load} when it was over. Medians of {reps} \
         repetitions; in each of them the limit, ours and every peer of a row run right after each other. Tasks that keep a \
         processor busy take up to a tenth more or less in other programs, so peers that are programs count by their share \
         of the processors' time, against the same tasks without the library. \
         **No** and **loss** mark what ours does not reach.\n",
        std::env::consts::OS,
        read("/proc/sys/kernel/osrelease").trim(),
        processors(),
        memory >> 20,
    )
}

fn rows(all: &[Measured]) -> String {
    let mut table = "\n| row | variant | ours | limit | unit | ratio | reach | reached |\n\
                     |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in all {
        let reached = match row.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {reached} |",
            row.id,
            row.variant,
            shown(row.ours),
            shown(row.limit),
            row.unit,
            shown(row.ratio),
            row.reach
        );
    }
    table
}

fn peers(all: &[Measured]) -> String {
    let mut table = "\n| row | variant | peer | theirs | ours | unit | ours/theirs | |\n\
                     |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in all {
        for (name, &theirs) in &row.peers {
            let ratio = row.ours.map(|ours| ours / theirs);
            let is_loss = ratio.is_some_and(|ratio| (ratio < 1.0) == (row.better == "more"));
            let _ = writeln!(
                table,
                "| {} | {} | {name} | {} | {} | {} | {} | {} |",
                row.id,
                row.variant,
                shown(Some(theirs)),
                shown(row.ours),
                row.unit,
                shown(ratio),
                if is_loss { "**loss**" } else { "" }
            );
        }
    }
    table
}

/// What was missing, and what the rows are.
fn lists(all: &[Measured]) -> String {
    let mut list = "\n".to_owned();
    for line in text::missing(all) {
        let _ = writeln!(list, "* Missing: {line}");
    }
    let mut titles: Vec<_> = all.iter().map(|row| (row.id, row.title)).collect();
    titles.dedup();
    for (id, title) in titles {
        let _ = writeln!(list, "* {id}: {title}");
    }
    list
}

/// Two places, or three figures of what is small.
fn shown(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(small) if small.abs() < 0.1 => format!("{small:.4}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// P7: how many tasks a second, by how long they take.
fn tasks_plot(all: &[Measured]) -> Plot {
    let mut lines: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let mut ticks = BTreeMap::new();
    for row in all.iter().filter(|row| row.id == "P7") {
        let Some((micros, way)) = row.variant.split_once(" µs, ") else {
            continue;
        };
        let x = micros.parse().map_or(0.0, f64::log10);
        ticks.insert(micros.to_owned(), x);
        let mut add = |name: &str, value: Option<f64>| {
            let line = lines.entry(name.to_owned()).or_default();
            line.extend(value.map(|value| (x, value)));
        };
        if let Some(style) = way.strip_suffix(", ordered") {
            add(&format!("ours, {style}"), row.ours);
        }
        if way == "plain fn, ordered" {
            add("rayon", row.limit);
            row.peers
                .iter()
                .for_each(|(name, &value)| add(name, Some(value)));
        }
    }
    // Ours first.
    let (ours, others): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .partition(|(name, _)| name.starts_with("ours"));
    Plot {
        title: "Tasks that keep a processor busy".to_owned(),
        x_label: "how long a task takes, µs",
        y_label: format!("thousand tasks a second, {} workers", processors()),
        x_ticks: ticks.into_iter().map(|(said, x)| (x, said)).collect(),
        series: ours.into_iter().chain(others).collect(),
    }
}

/// P3: how long single calls take.
fn latency_plot(all: &[Measured]) -> Plot {
    let mut series = Vec::new();
    let rows = all.iter().filter(|row| row.id == "P3");
    let found = rows.filter_map(|row| Some((row, row.percentiles_us?)));
    for (row, [ours, limit]) in found {
        let points = |times: [f64; SHARES.len()]| (0..).map(f64::from).zip(times).collect();
        if series.is_empty() {
            series.push(("round trip of a byte, tokio".to_owned(), points(limit)));
        }
        series.push((format!("delegate, {}", row.variant), points(ours)));
    }
    let share = |share: &f64| format!("{}", (share * 1000.0).round() / 10.0);
    Plot {
        title: "Single calls".to_owned(),
        x_label: "percentile of the calls",
        y_label: "time of a call, µs".to_owned(),
        x_ticks: (0..).map(f64::from).zip(SHARES.iter().map(share)).collect(),
        series,
    }
}

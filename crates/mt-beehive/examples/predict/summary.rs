//! The tables at the end.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::{
    frame::Row,
    job::{Found, Job},
    lines,
    pipeline::Outcome,
    run::differing,
};

/// The rows without an answer that are told of.
const SHOWN_ERRORS: usize = 5;

/// Of some rows with an answer.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    rows: u64,
    right: u64,
    /// Not further off than one grade.
    near: u64,
}

impl Score {
    fn add(&mut self, grade: usize, predicted: usize) {
        self.rows += 1;
        self.right += u64::from(grade == predicted);
        self.near += u64::from(grade.abs_diff(predicted) <= 1);
    }

    fn cells(self) -> [String; 3] {
        [
            grouped(self.rows),
            share(self.right, self.rows),
            share(self.near, self.rows),
        ]
    }
}

/// How good the predictions are: a row for each grade, wines as they are and with noise apart.
pub(crate) fn accuracy(rows: &[Row], outcomes: &[Outcome]) -> String {
    let mut by_grade: BTreeMap<usize, [Score; 2]> = BTreeMap::new();
    let mut total = [Score::default(); 2];
    for (row, outcome) in rows.iter().zip(outcomes) {
        if let Ok(answer) = outcome {
            let kind = usize::from(row.is_noisy);
            let scores = by_grade.entry(row.grade).or_default();
            scores[kind].add(row.grade, answer.grade);
            total[kind].add(row.grade, answer.grade);
        }
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let header = [
        "grade",
        "unseen wines",
        "right",
        "right ±1",
        "with noise",
        "right",
        "right ±1",
    ];
    table.set_header(header.map(right_but_first()));
    for (grade, scores) in &by_grade {
        table.add_row(row(&grade.to_string(), scores));
    }
    table.add_row(row("all", &total));
    let [unseen, _] = total;
    let commonest = by_grade.values().map(|[unseen, _]| unseen.rows).max();
    format!(
        "{table}\naccuracy on wines it has never seen: {}; always saying their commonest grade: {}",
        share(unseen.right, unseen.rows),
        share(commonest.unwrap_or(0), unseen.rows),
    )
}

/// Why some rows have no answer, if any have none: the first of them.
pub(crate) fn errors(outcomes: &[Outcome]) -> Option<String> {
    let with_error = |(row, outcome): (usize, &Outcome)| Some((row, outcome.clone().err()?));
    let mut errors = outcomes.iter().enumerate().filter_map(with_error);
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["row", "why it has no answer"]);
    for (row, error) in errors.by_ref().take(SHOWN_ERRORS) {
        table.add_row([row.to_string(), error]);
    }
    let more = errors.count();
    if more > 0 {
        table.add_row(["…".to_owned(), format!("and {} more", count(more))]);
    }
    (!table.is_empty()).then(|| table.to_string())
}

/// How the run went, and the same in one process if it was compared.
pub(crate) fn figures(job: &Job, found: &Found, check: Option<&Found>) -> String {
    let rows = found.outcomes.len();
    let answers = found.outcomes.iter().filter(|outcome| outcome.is_ok());
    let mut lines = vec![
        ("wines the model was trained on", count(job.train.len())),
        ("rows", count(rows)),
        ("rows without an answer", count(rows - answers.count())),
        ("answers kept in the archive", count(found.kept)),
    ];
    if let Some(bees) = &found.bees {
        lines.extend([
            ("worker bees at once", count(bees.at_once)),
            ("worker bees started", grouped(bees.stats.bees_started)),
            ("worker bees lost", grouped(bees.stats.bees_lost)),
            (
                "tasks begun again after it",
                grouped(bees.stats.begun_again),
            ),
            ("requests made again by them", grouped(bees.repeated)),
        ]);
    }
    lines.push(("time", pace(found)));
    if let Some(check) = check {
        lines.push(("the same in one process", pace(check)));
        lines.push((
            "answers that differ by a bit or more",
            count(differing(job, found, check)),
        ));
    }
    let digest = lines::digest(&found.outcomes);
    lines.push(("digest of all answers", digest[..16].to_owned()));
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    for (what, figure) in lines {
        table.add_row([what.to_owned(), figure].map(right_but_first()));
    }
    table.to_string()
}

fn pace(found: &Found) -> String {
    let seconds = found.took.as_secs_f64();
    let rate = found.outcomes.len() as f64 / seconds.max(f64::MIN_POSITIVE);
    format!("{seconds:.2} s, {} rows/s", grouped(rate as u64))
}

fn row(name: &str, scores: &[Score; 2]) -> Vec<Cell> {
    let figures = scores.iter().flat_map(|score| score.cells());
    let cells = std::iter::once(name.to_owned()).chain(figures);
    cells.map(right_but_first()).collect()
}

fn right_but_first<T: ToString>() -> impl FnMut(T) -> Cell {
    let mut is_first = true;
    move |text| {
        let alignment = if std::mem::take(&mut is_first) {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        };
        Cell::new(text).set_alignment(alignment)
    }
}

fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        _ => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

fn count(number: usize) -> String {
    grouped(number as u64)
}

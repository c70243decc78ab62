//! A row's record: a line of text, its figures between commas, as in the file the data set comes from.

use anyhow::{Context, Result, ensure};

use crate::wines::{FIGURES, Figures};

const NAMES: [&str; FIGURES] = [
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
];

/// A record that no process survives: what a library with a bug in it does at the wrong input.
pub(crate) const POISON: &str = "poison";

pub(crate) fn write(figures: &Figures) -> String {
    figures.map(|figure| figure.to_string()).join(",")
}

/// The same record with one of its figures lost.
pub(crate) fn damage(record: &str, figure: usize) -> String {
    let mut fields: Vec<&str> = record.split(',').collect();
    if let Some(field) = fields.get_mut(figure) {
        *field = "n/a";
    }
    fields.join(",")
}

/// Aborts the process at [`POISON`].
///
/// # Errors
/// The record is none such, and why.
pub(crate) fn parse(record: &str) -> Result<Figures> {
    if record == POISON {
        std::process::abort();
    }
    let fields: Vec<&str> = record.split(',').collect();
    ensure!(
        fields.len() == FIGURES,
        "the record has {} fields instead of {FIGURES}",
        fields.len()
    );
    let mut figures: Figures = [0.0; FIGURES];
    for ((figure, field), name) in figures.iter_mut().zip(fields).zip(NAMES) {
        *figure = field
            .trim()
            .parse()
            .with_context(|| format!("{name} is {field:?}"))?;
        ensure!(
            figure.is_finite() && *figure >= 0.0,
            "{name} can't be {figure}"
        );
    }
    Ok(figures)
}

//! A comparison as people read it in a terminal.

use std::collections::BTreeSet;

use serde_json::json;

use super::measured::Measured;
use crate::report::{Figures, table};

/// The rows with their ratios, then the peers, then what could not be measured, then what the rows are.
pub(super) fn text(all: &[Measured], reps: u32) -> String {
    let rows: Vec<Figures> = all.iter().map(figures).collect();
    let peers: Vec<Figures> = all.iter().flat_map(peers).collect();
    let mut text = format!("{}\n", table(&rows, &[]));
    if !peers.is_empty() {
        text += &format!("{}\n", table(&peers, &[]));
    }
    text += &format!("Medians of {reps}, all sides by turns in one run.\n");
    for line in missing(all) {
        text += &format!("Missing: {line}\n");
    }
    let mut titles: Vec<String> = all.iter().map(title).collect();
    titles.dedup();
    text + &titles.concat()
}

fn title(row: &Measured) -> String {
    format!("{}: {}\n", row.id, row.title)
}

fn figures(row: &Measured) -> Figures {
    vec![
        ("id", json!(row.id)),
        ("variant", json!(row.variant)),
        ("unit", json!(row.unit)),
        ("ours", json!(row.ours)),
        ("limit", json!(row.limit)),
        ("ratio", json!(row.ratio)),
        ("reach", json!(row.reach)),
        ("reached", json!(row.reached)),
    ]
}

fn peers(row: &Measured) -> Vec<Figures> {
    let peer = |(name, value): (&&str, &f64)| {
        vec![
            ("id", json!(row.id)),
            ("variant", json!(row.variant)),
            ("peer", json!(name)),
            ("unit", json!(row.unit)),
            ("theirs", json!(value)),
            ("ours", json!(row.ours)),
            ("ours/theirs", json!(row.ours.map(|ours| ours / value))),
        ]
    };
    row.peers.iter().map(peer).collect()
}

/// Each thing that was missing, once.
pub(super) fn missing<'a>(all: &'a [Measured]) -> BTreeSet<&'a str> {
    let peers = all.iter().flat_map(|row| row.peers_missing.values());
    let rows = all.iter().filter_map(|row| row.missing);
    peers.copied().chain(rows).collect()
}

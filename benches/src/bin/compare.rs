//! Runs rows of the comparison and prints their figures. `cargo xtask bench compare` builds and
//! starts it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, value_parser};

/// Measures rows of the comparison.
#[derive(Parser)]
struct Args {
    /// The rows, by id; all of them without it
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    only: Vec<String>,
    /// How often each side is run
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    reps: u32,
    /// One JSON object a row in place of a table
    #[arg(long)]
    json: bool,
}

#[mt_pool::main]
fn main() -> ExitCode {
    mt_benches::end(run().map(|()| ExitCode::SUCCESS))
}

#[cfg(unix)]
fn run() -> Result<()> {
    use mt_benches::{compare, echo};

    if echo::is_echo_child() {
        return echo::run_child();
    }
    let Args { only, reps, json } = Args::parse();
    let rows = compare::choose(&only)?;
    let progress = |rep| eprintln!("repetition {} of {reps} …", rep + 1);
    let figures = compare::measure(&rows, reps, progress)?;
    if json {
        compare::print_json(&figures)
    } else {
        compare::print_table(&figures, reps)
    }
}

#[cfg(not(unix))]
fn run() -> Result<()> {
    let Args { .. } = Args::parse();
    anyhow::bail!(
        "the limits of the comparison are measured with Unix sockets: there are none here"
    )
}

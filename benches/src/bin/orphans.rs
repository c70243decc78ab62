//! Measures how long what a queen has started lives on when she is killed. `cargo xtask orphans` builds and
//! starts it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, value_parser};

/// Measures how long what a queen has started lives on when she is killed.
#[derive(Parser)]
struct Args {
    /// The queens to kill
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
    kills: u32,
    /// One JSON object in place of text
    #[arg(long)]
    json: bool,
}

#[mt_beehive::main]
fn main() -> ExitCode {
    mt_benches::end(run().map(|()| ExitCode::SUCCESS))
}

#[cfg(target_os = "linux")]
fn run() -> Result<()> {
    use mt_benches::orphans;

    if std::env::args().nth(1).as_deref() == Some(orphans::QUEEN_ARGUMENT) {
        return orphans::reign();
    }
    let Args { kills, json } = Args::parse();
    let report = orphans::run(kills)?;
    mt_benches::show(&report, json)
}

#[cfg(not(target_os = "linux"))]
fn run() -> Result<()> {
    let Args { .. } = Args::parse();
    anyhow::bail!("whether a process is gone is read from /proc: it needs Linux")
}

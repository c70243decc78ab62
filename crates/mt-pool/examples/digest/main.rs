//! Digests a directory tree over worker processes: SHA-256, size, lines, words and kind of every
//! file. `cargo run --release -p mt-pool --example digest -- --help` says how to use it.
//!
//! Which file does what, in the order of the data: [`cli`] the command line; [`walk`] finds files
//! one by one; [`task`] runs in the workers, with [`kind`] and [`words`] as its parts; [`run`] puts it
//! together and takes the outcomes; [`lines`], [`progress`] and [`summary`] show them.

mod byte_path;
mod cli;
mod glob;
mod kind;
mod lines;
mod progress;
mod run;
mod summary;
mod tally;
mod task;
mod walk;
mod words;

use std::process::ExitCode;

use clap::Parser;

#[mt_pool::main]
fn main() -> ExitCode {
    match run::run(&cli::Args::parse()) {
        Ok(verdict) => verdict.into(),
        Err(error) => {
            eprintln!("digest: {error:#}");
            ExitCode::from(cli::EXIT_NOT_STARTED)
        }
    }
}

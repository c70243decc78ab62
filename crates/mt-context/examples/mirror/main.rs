//! Mirrors and digests every object below a prefix, over two worker processes with 64 at once each.
//! `cargo run --release -p mt-context --example mirror -- --help` says how to use it.
//!
//! Which file does what: [`cli`] the command line; [`server`] and [`samples`] the server that there is when no other is
//! named; [`ledger`] what earlier runs have mirrored; [`task`] runs in the workers; [`run`] puts it together; [`chaos`]
//! kills workers meanwhile; [`show`] is the progress, the lines and the table.

mod chaos;
mod cli;
mod ledger;
mod run;
mod samples;
mod server;
mod show;
mod task;

use std::process::ExitCode;

use clap::Parser;

#[mt_pool::main]
fn main() -> ExitCode {
    match run::run(&cli::Args::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(cli::EXIT_ERRORS),
        Err(error) => {
            eprintln!("mirror: {error:#}");
            ExitCode::from(cli::EXIT_NOT_STARTED)
        }
    }
}

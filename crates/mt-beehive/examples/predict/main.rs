//! Predicts the grades of wines: a queen bee owns the dataframe and the model and predicts in batches, worker
//! bees do what there is to do for each row before and after.
//! `cargo run --release -p mt-beehive --example predict -- --help` says how to use it.
//!
//! Which file does what, in the order of the data: [`cli`] the command line; [`wines`] the data set, and
//! [`frame`] the dataframe made of it; [`archive`] where the records of the rows lie; [`clerk`] the worker bee,
//! with [`client`], [`record`] and [`scaler`] as her parts; [`queen`] the queen bee, with [`model`] and
//! [`pipeline`]; [`chaos`] kills worker bees meanwhile; [`job`] puts it together, [`run`] compares; [`lines`], [`progress`]
//! and [`summary`] show it.

mod archive;
mod chaos;
mod clerk;
mod cli;
mod client;
mod frame;
mod job;
mod lines;
mod model;
mod pipeline;
mod progress;
mod queen;
mod record;
mod run;
mod scaler;
mod summary;
mod wines;

use std::process::ExitCode;

use clap::Parser;

#[mt_beehive::main]
async fn main() -> ExitCode {
    match run::run(&cli::Args::parse()).await {
        Ok(verdict) => verdict.into(),
        Err(error) => {
            eprintln!("predict: {error:#}");
            ExitCode::from(cli::EXIT_NOT_STARTED)
        }
    }
}

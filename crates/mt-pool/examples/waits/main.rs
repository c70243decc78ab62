//! Ten thousand HTTP requests that mostly wait, in three ways: one after the other, many at once in this
//! process, and many at once in worker processes. `cargo run --release -p mt-pool --example waits --
//! --help` says how to use it.
//!
//! [`server`] answers them, in a thread of this process, after the time it is told to think; [`client`] has
//! the request, written once and sent in all three; [`tally`] counts; [`table`] shows.

mod client;
mod server;
mod table;
mod tally;

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use futures::StreamExt;
use mt_pool::{
    Context, TaskErrorKind,
    works::{aio_work_generator, asyn_work_generator, serial_work_generator},
};

use crate::{
    client::{Client, fetch},
    table::Row,
    tally::Tally,
};

/// Fetches numbered pages from a small HTTP server of this process, which thinks a while over each, and
/// shows how long that takes one after the other, many at once in this process, and in worker processes.
///
/// One page in ten is not there, and one in a thousand is an error of the server.
#[derive(Debug, clap::Parser)]
#[command(name = "waits")]
struct Args {
    /// The pages to fetch
    #[arg(short = 'n', long, default_value_t = 10_000)]
    pages: u64,

    /// How long the server thinks over each, in milliseconds
    #[arg(short, long, default_value_t = 10, value_name = "MS")]
    think: u64,

    /// The requests at once in each process
    #[arg(short, long, default_value_t = 128, value_name = "N")]
    concurrency: usize,

    /// The worker processes
    #[arg(short, long, default_value_t = 2, value_name = "N")]
    workers: usize,

    /// The pages that are fetched one after the other; the time for all of them is computed from it
    #[arg(short, long, default_value_t = 100, value_name = "N")]
    serial: u64,
}

#[mt_pool::main]
fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let port = server::start(Duration::from_millis(args.think))?;
    println!(
        "{} pages of a server in this process (127.0.0.1:{port}) that thinks {} ms over each",
        args.pages, args.think
    );
    let serial = runtime.block_on(Client::open(&port))?;
    let rows = [
        one_after_the_other(&args, &serial, &runtime),
        runtime.block_on(in_this_process(&args, port))?,
        in_workers(&args, port)?,
    ];
    println!("{}", table::table(&rows, args.pages));
    Ok(())
}

/// The reference: no two requests at the same time.
fn one_after_the_other(args: &Args, client: &Client, runtime: &tokio::runtime::Runtime) -> Row {
    let (begun, mut tally) = (Instant::now(), Tally::default());
    let pages = args.serial.min(args.pages);
    for result in serial_work_generator(|id| runtime.block_on(fetch(client, id)), pages) {
        tally.add(result);
    }
    Row::new("one after the other", 1, tally, begun.elapsed())
}

/// The requests are futures of this thread.
async fn in_this_process(args: &Args, port: u16) -> Result<Row> {
    let (begun, mut tally) = (Instant::now(), Tally::default());
    let client = Client::open(&port).await?;
    let mut pages = aio_work_generator(|id| fetch(&client, id), args.pages)
        .max_concurrency(args.concurrency)
        .start()?;
    // Those that are not there don't come.
    while let Some(page) = pages.next().await {
        tally.add(page);
    }
    tally.not_there = args.pages - tally.pages - tally.errors;
    Ok(Row::new(
        "many at once in this process",
        args.concurrency,
        tally,
        begun.elapsed(),
    ))
}

/// The requests are futures in other processes, each with a client of its own.
fn in_workers(args: &Args, port: u16) -> Result<Row> {
    let (begun, mut tally) = (Instant::now(), Tally::default());
    let works = asyn_work_generator::<fetch>(args.pages)
        .context(port)
        .processes(args.workers)
        .max_concurrency(args.concurrency)
        .start()?;
    for (_id, outcome) in works {
        match outcome {
            Err(error) if matches!(error.kind(), TaskErrorKind::Cancelled) => tally.left += 1,
            outcome => tally.add(outcome),
        }
    }
    let at_once = args.workers * args.concurrency;
    Ok(Row::new(
        "many at once in worker processes",
        at_once,
        tally,
        begun.elapsed(),
    ))
}

//! A web service around a C library that crashes on some documents, renders others for ever, and leaks.
//!
//! `POST /render` renders the document that is its body, in a worker process; `GET /ready` is for a load balancer, `GET
//! /metrics` for a scrape by Prometheus. `cargo run --release -p mt-service-example --example service -- --help` says the rest, `-- --load` puts it to
//! the test, and `-- --compare` compares the two ways to render: calls of a pool, and worker bees of a hive (`--by hive`).
//! [`rendering`] is these two, [`routes`], [`answer`] and [`metrics`] the HTTP, [`serve`] the beginning and the end; [`load`]
//! is the test.

mod answer;
#[cfg(target_os = "linux")]
mod load;
mod metrics;
mod rendering;
mod routes;
mod serve;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, ValueEnum};

/// Renders documents over HTTP by a C library that is not to be trusted, each in a worker process.
#[derive(Debug, clap::Parser)]
#[command(name = "service")]
struct Args {
    /// Where to listen; port 0 is a free one
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// What renders
    #[arg(long, value_enum, default_value_t = By::Pool)]
    by: By,

    /// The worker processes
    #[arg(long, default_value_t = 2, value_name = "N")]
    workers: usize,

    /// The renderings that run or wait at once; further requests are told to come again (503)
    #[arg(long, default_value_t = 64, value_name = "N")]
    places: usize,

    /// How long a rendering may run, in milliseconds (504)
    #[arg(long, default_value_t = 2000, value_name = "MS")]
    deadline: u64,

    /// How long requests may go on after Ctrl-C or SIGTERM, in milliseconds
    #[arg(long, default_value_t = 10_000, value_name = "MS")]
    grace: u64,

    /// How long an idle connection may ask a last time after Ctrl-C or SIGTERM, in milliseconds
    #[arg(long, default_value_t = 500, value_name = "MS")]
    linger: u64,

    /// Starts a service and puts it to the test instead, each part for so many seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2")]
    load: Option<f64>,

    /// Compares calls of a pool with a hive's delegates instead: so many seconds each under the same load
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "4", conflicts_with = "load")]
    compare: Option<f64>,
}

/// What renders.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// Calls of a pool's plain function
    Pool,
    /// Worker bees of a hive, which finds them by an auction
    Hive,
    /// The same, found by counted places: quicker with documents as small as these
    HiveByCredit,
}

impl By {
    /// As it is written on the command line.
    #[cfg(target_os = "linux")]
    fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Hive => "hive",
            Self::HiveByCredit => "hive-by-credit",
        }
    }
}

impl Args {
    fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline)
    }

    fn grace(&self) -> Duration {
        Duration::from_millis(self.grace)
    }

    fn linger(&self) -> Duration {
        Duration::from_millis(self.linger)
    }
}

#[mt_pool::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    #[cfg(target_os = "linux")]
    match (args.load, args.compare) {
        (Some(seconds), _) => return load::run(&args, Duration::try_from_secs_f64(seconds)?).await,
        (None, Some(seconds)) => {
            return load::compare(&args, Duration::try_from_secs_f64(seconds)?).await;
        }
        (None, None) => {}
    }
    #[cfg(not(target_os = "linux"))]
    if args.load.or(args.compare).is_some() {
        anyhow::bail!("the load test finds worker processes in /proc, which is Linux's");
    }
    serve::serve(&args).await.map(|()| ExitCode::SUCCESS)
}

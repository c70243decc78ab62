//! Searches the smallest number whose SHA-256, written behind a text, begins with many zero bits.
//! `cargo run --release -p mt-pool --example search -- --help` says how to use it.
//!
//! A work is a block of numbers, so work ids 0, 1, 2 … cover them all: a `WorkIterator` that is shared by
//! threads, each of which takes the blocks that are done. A `Counter` counts the hashes in all workers.
//! Blocks are done in any order, so a find is the smallest only when every block before it is done.

use std::{
    collections::BTreeSet,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::{Parser, value_parser};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use mt_pool::{Counter, WorkIterator};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Searches the smallest number n for which SHA-256 of TEXT and n begins with BITS zero bits; n is
/// appended in decimal digits.
#[derive(Parser)]
#[command(name = "search")]
struct Args {
    /// The leading zero bits to find; each one more doubles the work
    #[arg(default_value_t = 20, value_parser = value_parser!(u32).range(0..=64))]
    bits: u32,

    /// What the numbers are appended to
    #[arg(long, default_value = "mt-pool ")]
    text: String,

    /// Worker processes at most [default: one for each processor]
    #[arg(short, long, value_name = "N")]
    workers: Option<usize>,

    /// Threads of this process that take what the workers have done
    #[arg(short, long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=64))]
    threads: u32,

    /// Numbers in a work
    #[arg(short, long, default_value_t = 1 << 16, value_parser = value_parser!(u64).range(1..=1 << 32))]
    block: u64,

    /// Search in this process, without workers
    #[arg(long)]
    serial: bool,
}

/// What every worker has to know.
#[derive(Clone, Serialize, Deserialize)]
struct Job {
    text: String,
    bits: u32,
    block: u64,
    hashes: Counter,
}

/// Searches block `n`; the first number in it that will do.
#[mt_pool::task]
fn search(#[shared] job: &Job, n: u64) -> Option<u64> {
    let numbers = n * job.block..(n + 1) * job.block;
    let found = numbers
        .clone()
        .find(|&number| zero_bits(&job.text, number) >= job.bits);
    let hashes = found.map_or(job.block, |number| number - numbers.start + 1);
    job.hashes.increment_by(hashes as i64);
    found
}

fn hash(text: &str, number: u64) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(text);
    hasher.update(number.to_string());
    hasher.finalize().into()
}

/// The leading zero bits, up to 64.
fn zero_bits(text: &str, number: u64) -> u32 {
    let [a, b, c, d, e, f, g, h, ..] = hash(text, number);
    u64::from_be_bytes([a, b, c, d, e, f, g, h]).leading_zeros()
}

/// The blocks that are done, and the best find in them.
#[derive(Default)]
struct Finds {
    /// All before this are done.
    next: u64,
    later: BTreeSet<u64>,
    best: Option<u64>,
}

impl Finds {
    fn add(&mut self, block: u64, found: Option<u64>) {
        self.later.insert(block);
        while self.later.remove(&self.next) {
            self.next += 1;
        }
        self.best = self.best.into_iter().chain(found).min();
    }

    /// The best find, once nothing smaller can come.
    fn smallest(&self, block_size: u64) -> Option<u64> {
        self.best.filter(|best| best / block_size < self.next)
    }

    fn blocks(&self) -> u64 {
        self.next + self.later.len() as u64
    }
}

#[mt_pool::main]
fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("search: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<Table> {
    let job = Job {
        text: args.text.clone(),
        bits: args.bits,
        block: args.block,
        hashes: Counter::new(),
    };
    let mut builder = WorkIterator::<search>::builder().shared(job.clone());
    if let Some(workers) = args.workers {
        builder = builder.processes(workers);
    }
    let begun = Instant::now();
    let works = builder.serial_mode(args.serial).start()?;
    let finds = Mutex::new(Finds::default());
    let bar = progress();
    thread::scope(|scope| {
        let take = || {
            let taken = take_blocks(&works, &finds, &bar, &job);
            // Whoever has an end has it for all: the others may wait for a block.
            works.close();
            taken
        };
        let threads: Vec<_> = (0..args.threads).map(|_| scope.spawn(take)).collect();
        let mut results = threads.into_iter().map(|thread| thread.join());
        results.try_for_each(|joined| joined.expect("a thread of ours does not panic"))
    })?;
    bar.finish_and_clear();
    let finds = finds.into_inner().unwrap_or_else(PoisonError::into_inner);
    let number = finds.smallest(args.block).context("interrupted")?;
    Ok(table(
        args,
        &job,
        (number, finds.blocks()),
        (works.num_workers(), begun.elapsed()),
    ))
}

/// Takes blocks until the smallest number is known.
fn take_blocks(
    works: &WorkIterator<search>,
    finds: &Mutex<Finds>,
    bar: &ProgressBar,
    job: &Job,
) -> Result<()> {
    for item in works {
        let (block, outcome) = item?;
        let found = outcome.context("a block could not be searched")?;
        let mut finds = finds.lock().unwrap_or_else(PoisonError::into_inner);
        finds.add(block, found);
        bar.set_position(job.hashes.value().unsigned_abs());
        if finds.smallest(job.block).is_some() {
            return Ok(());
        }
    }
    Ok(())
}

fn table(args: &Args, job: &Job, found: (u64, u64), spent: (usize, Duration)) -> Table {
    let ((number, blocks), (workers, time)) = (found, spent);
    let hashes = job.hashes.value().unsigned_abs();
    let hex: String = hash(&job.text, number)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let seconds = time.as_secs_f64();
    for [name, value] in [
        ["text", &job.text],
        ["number", &number.to_string()],
        ["SHA-256", &hex],
        ["zero bits", &zero_bits(&job.text, number).to_string()],
        ["blocks", &HumanCount(blocks).to_string()],
        ["hashes", &HumanCount(hashes).to_string()],
        ["workers", &workers.to_string()],
        ["threads", &args.threads.to_string()],
        ["seconds", &format!("{seconds:.2}")],
        [
            "million hashes/s",
            &format!("{:.2}", hashes as f64 / seconds / 1e6),
        ],
    ] {
        table.add_row([name, value]);
    }
    table
}

/// Draws nothing when standard error is no terminal.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} hashes, {per_sec}, {elapsed}");
    ProgressBar::new_spinner().with_style(style.expect("a template of ours"))
}

//! Thumbnails of a folder of images, each made in a worker process that may use only so much memory and
//! time: a file that is corrupt is an error, one that unpacks to more than there is room for is given up,
//! and every other file gets its thumbnail.
//!
//! `cargo run --release -p mt-pool --example thumbnails -- --help` says how to use it. [`samples`] paints a
//! folder of images when none is given; [`task`] runs in the workers.

mod samples;
mod task;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Parser;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use mt_pool::{
    TaskError, asyn_pmap,
    limits::{Deadlines, MemoryLimits},
};
use serde_json::json;

use task::{Job, Thumb, thumbnail};

/// Makes thumbnails of a folder of images in worker processes.
#[derive(Parser)]
struct Args {
    /// The folder; without one, a folder of samples is painted, among them a corrupt and a huge one
    folder: Option<PathBuf>,
    /// Where thumbnails go; a folder of its own in the system's temporary one by default
    #[arg(long)]
    out: Option<PathBuf>,
    /// The longer side of a thumbnail in pixels
    #[arg(long, default_value_t = 128)]
    side: u32,
    /// The most memory of one worker in MiB
    #[arg(long, default_value_t = 96)]
    max_mib: u64,
    /// The most seconds for one image
    #[arg(long, default_value_t = 30)]
    deadline_s: u64,
    /// The worker processes; as many as processors by default
    #[arg(long)]
    workers: Option<usize>,
    /// One JSON object an image in place of a table
    #[arg(long)]
    json: bool,
}

#[mt_pool::main]
fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        // Some images have no thumbnail; the table says which and why.
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("thumbnails: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Makes them; whether all were made.
fn run(args: &Args) -> Result<bool> {
    let own = std::env::temp_dir().join(format!("mt-thumbnails-{}", std::process::id()));
    let (folder, expected) = match &args.folder {
        Some(folder) => (folder.clone(), None),
        None => {
            let folder = own.join("images");
            (folder.clone(), Some(samples::paint(&folder)?))
        }
    };
    let out = args.out.clone().unwrap_or_else(|| own.join("thumbnails"));
    std::fs::create_dir_all(&out).with_context(|| format!("making {}", out.display()))?;
    let images = images_in(&folder)?;
    let job = Job {
        out: out.clone(),
        side: args.side.max(1),
    };
    let start = Instant::now();
    let mut run = asyn_pmap::<thumbnail>(images.clone())
        .shared(job)
        .memory(
            MemoryLimits::new()
                .max_rss_bytes(args.max_mib << 20)
                .oom_retries(0),
        )
        .deadlines(Deadlines::new().hard(Duration::from_secs(args.deadline_s.max(1))));
    if let Some(workers) = args.workers {
        run = run.processes(workers);
    }
    let mut outcomes = run.start()?.into_iter();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["image", "pixels", "thumbnail", "ms"]);
    let mut failed = 0;
    for (image, outcome) in images.iter().zip(outcomes.by_ref()) {
        failed += usize::from(outcome.is_err());
        if args.json {
            println!("{}", line(image, &outcome));
        } else {
            table.add_row(row(image, &outcome));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    remove_unfinished(&out)?;
    if !args.json {
        println!("{table}");
        let stats = outcomes.stats();
        let (made, died) = (images.len() - failed, stats.workers_died);
        println!("{made} made, {failed} not; {died} workers died; {seconds:.1} s");
        println!("thumbnails are in {}", out.display());
    }
    if let Some(bad) = expected {
        let done_with = if args.out.is_some() { &own } else { &folder };
        std::fs::remove_dir_all(done_with)
            .with_context(|| format!("removing {}", done_with.display()))?;
        return Ok(failed == bad);
    }
    Ok(failed == 0)
}

/// Removes what workers that were killed had begun to write.
fn remove_unfinished(out: &Path) -> Result<()> {
    for file in std::fs::read_dir(out)? {
        let path = file?.path();
        if task::is_unfinished(&path) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The files of a folder by name, those below it not.
fn images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut images = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            images.push(path);
        }
    }
    images.sort();
    Ok(images)
}

type Outcome = Result<Thumb, TaskError<String>>;

fn name(image: &Path) -> String {
    let name = image.file_name().unwrap_or(image.as_os_str());
    name.to_string_lossy().into_owned()
}

fn row(image: &Path, outcome: &Outcome) -> [String; 4] {
    match outcome {
        Ok(thumb) => [
            name(image),
            format!("{} × {}", thumb.width, thumb.height),
            name(&thumb.file),
            format!("{:.1}", thumb.took.as_secs_f64() * 1e3),
        ],
        Err(error) => [name(image), String::new(), error.to_string(), String::new()],
    }
}

fn line(image: &Path, outcome: &Outcome) -> serde_json::Value {
    match outcome {
        Ok(thumb) => json!({
            "image": image, "width": thumb.width, "height": thumb.height, "thumbnail": thumb.file,
            "ms": thumb.took.as_secs_f64() * 1e3,
        }),
        Err(error) => json!({ "image": image, "error": error.to_string() }),
    }
}

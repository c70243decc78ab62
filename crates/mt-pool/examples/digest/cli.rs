//! The command line.

use std::{ffi::OsString, path::PathBuf};

/// Some files have no digest.
pub(crate) const EXIT_ERRORS: u8 = 1;
/// Nothing was done. Also what clap exits with.
pub(crate) const EXIT_NOT_STARTED: u8 = 2;
/// As a shell reports a program that SIGINT has ended.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

const EXIT_CODES: &str = "\
Exit code:
  0    every file has its digest
  1    some files have none: unreadable, or lost with their worker process
  2    nothing was done: a wrong option, or PATH is not there
  130  interrupted by Ctrl-C: what was being digested was finished, the rest was left

When nobody reads the output any more (`… | head`) the run ends without a word.";

/// Digests every file of a directory tree over worker processes: SHA-256, size in bytes, lines and
/// words as `wc` counts them, and its kind by content.
///
/// Symbolic links are not followed. What can't be read is reported and does no harm to the rest.
/// Memory is bounded, however many files there are and however large they are.
#[derive(Debug, clap::Parser)]
#[command(name = "digest", after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The directory, or the one file, to digest
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,

    /// Worker processes at most [default: one for each processor]
    #[arg(short, long, value_name = "N")]
    pub(crate) workers: Option<usize>,

    /// Take files as they are ready instead of in the order they were found
    #[arg(short, long)]
    pub(crate) unordered: bool,

    /// Also digest what is in `.git` and `target`
    #[arg(short, long)]
    pub(crate) all: bool,

    /// Print a line of JSON for each file: path (relative to PATH), and sha256, size, lines, words
    /// and kind, or error; for a path that is no UTF-8 also path_hex, its bytes. The summary goes to
    /// stderr
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Abort the worker process that digests this file, to see that no other file is lost: a path
    /// relative to PATH, where `*` stands for any characters, also `/`, and `?` for any one
    #[arg(long, value_name = "PATH_OR_GLOB")]
    pub(crate) poison: Option<OsString>,

    /// Show no progress. There is none either when stderr is no terminal
    #[arg(long)]
    pub(crate) no_progress: bool,

    /// Show neither progress nor summary, only errors (and JSON, if asked for)
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

//! The command line.

use clap::builder::RangedU64ValueParser as Range;

/// Some rows have no prediction, or some answers are not those of one process.
pub(crate) const EXIT_ERRORS: u8 = 1;
/// As a shell reports a program that SIGINT has ended.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;
/// Nothing was done. Also what clap exits with.
pub(crate) const EXIT_NOT_STARTED: u8 = 2;

const MORE: &str = "\
The data: 1,599 red wines that the crate linfa-datasets brings along (P. Cortez et al., 2009), 11 laboratory
figures each and a grade from 3 to 8. Three quarters of them train the model, a multinomial logistic regression
of linfa-logistic. The others it never sees: they are what is predicted, first as they are, and from then on
again and again with noise, until there are as many rows as asked for. The accuracy is told apart.

Exit code:
  0    every row is predicted, and the answers are those of one process
  1    some rows are not, or some answers differ
  2    nothing was done: a wrong option, or no worker bee could be started
  130  interrupted by Ctrl-C: what worker bees had begun was finished, the rest was left";

/// Predicts the grades of wines: a queen bee owns the dataframe and the model and predicts in batches, worker
/// bees fetch, parse, check and standardise each row's record before that, and check, label and store the
/// answer after it.
///
/// The records lie in an archive, a server on this machine; a bee has up to 64 connections to it. Afterwards
/// everything is done again by the same functions in this one process, and the answers are compared bit for bit.
/// Nothing is downloaded, and nothing is written to disk.
#[derive(Debug, clap::Parser)]
#[command(name = "predict", after_help = MORE)]
pub(crate) struct Args {
    /// Rows to predict
    #[arg(short, long, value_name = "N", default_value_t = 20_000,
          value_parser = Range::<u32>::new().range(1..=10_000_000))]
    pub(crate) rows: u32,

    /// Worker bees [default: one for each processor, at least 2]
    #[arg(short, long, value_name = "N", value_parser = Range::<u32>::new().range(1..=1000))]
    pub(crate) bees: Option<u32>,

    /// Kill worker bees while they work, so many in all, at random points of the run
    #[arg(long, value_name = "KILLS", num_args = 0..=1, require_equals = true,
          default_missing_value = "25", conflicts_with = "single")]
    pub(crate) chaos: Option<u32>,

    /// Damage the records of so many rows: they are errors, all others are predicted
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) spoil: u32,

    /// Make the record of one row abort the bee that preprocesses it, every time, to see that no other row is
    /// lost [default: chosen by the seed]
    #[arg(long, value_name = "ROW", num_args = 0..=1, require_equals = true, conflicts_with = "single")]
    pub(crate) poison: Option<Option<u32>>,

    /// Give each task to the bee with the fewest, instead of by an auction among all
    #[arg(long, conflicts_with = "single")]
    pub(crate) credit: bool,

    /// Rows that worker bees have at once, before the prediction and after it
    #[arg(long, value_name = "N", default_value_t = 1024,
          value_parser = Range::<u32>::new().range(1..=30_000))]
    pub(crate) in_flight: u32,

    /// Milliseconds the archive, a server on this machine, takes to find or store a record
    #[arg(long, value_name = "MS", default_value_t = 2)]
    pub(crate) latency_ms: u32,

    /// Chooses the wines that train the model, the noise, the records to damage, when to kill and whom
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Do it in this process only, without worker bees
    #[arg(long)]
    pub(crate) single: bool,

    /// Leave out the comparison with one process
    #[arg(long)]
    pub(crate) no_check: bool,

    /// Print a line of JSON for each row: row, wine, noisy, grade, and predicted, confidence and
    /// probabilities, or error. The summary goes to stderr
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Show no progress. There is none either when stderr is no terminal
    #[arg(long)]
    pub(crate) no_progress: bool,

    /// Show neither progress nor summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

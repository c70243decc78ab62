//! The command line.

use std::path::PathBuf;

/// Some objects were not mirrored.
pub(crate) const EXIT_ERRORS: u8 = 1;
/// Nothing was done. Also what clap exits with.
pub(crate) const EXIT_NOT_STARTED: u8 = 2;

const NOTES: &str = "\
Without --endpoint and --profile a server of S3 is started inside this program, over a folder with samples.

Exit code:
  0  every object is mirrored
  1  some are not
  2  nothing was done";

/// Mirrors every object below a prefix into a folder, with the SHA-256 of each, over worker processes.
///
/// A second run does what is missing or changed: by the objects' etags and times, and the sizes of the files. Memory is bounded,
/// however many objects there are and however large they are.
#[derive(Debug, clap::Parser)]
#[command(name = "mirror", after_help = NOTES)]
pub(crate) struct Args {
    /// The folder that the objects go to
    pub(crate) into: PathBuf,

    /// Which objects: `s3://BUCKET/PREFIX` [default: all samples]
    #[arg(long, value_name = "URL", requires = "other_server")]
    pub(crate) from: Option<String>,

    /// The server's address
    #[arg(long, value_name = "URL", group = "other_server")]
    pub(crate) endpoint: Option<String>,

    /// The profile of AWS whose credentials are used, with --endpoint or its own endpoint
    #[arg(long, value_name = "NAME", group = "other_server")]
    pub(crate) profile: Option<String>,

    /// The folder of the samples, made and filled if it is not there [default: a temporary one]
    #[arg(long, value_name = "FOLDER", conflicts_with = "other_server")]
    pub(crate) samples: Option<PathBuf>,

    /// How many samples there are
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(crate) objects: u64,

    /// The size of the largest sample, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    pub(crate) largest: u64,

    /// Worker processes
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) workers: usize,

    /// Objects at once in each
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) at_once: usize,

    /// Kill a worker every so often meanwhile: at first after 0.3 s, each time after a quarter more
    #[arg(long)]
    pub(crate) chaos: bool,

    /// Print a line of JSON for each object; the table goes to standard error
    #[arg(long)]
    pub(crate) json: bool,

    /// Show no progress. There is none either when standard error is no terminal
    #[arg(long)]
    pub(crate) no_progress: bool,
}

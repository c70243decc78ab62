//! `cargo xtask platforms`: the other systems, from Linux: Windows is built and run under Wine, macOS is type-checked.
//!
//! Nothing is installed here: what is missing is told by the names of Debian's packages.

mod answers;
mod build;
mod needs;
mod progress;
mod suite;
mod toolchain;
mod verdict;
mod wine;

use std::{
    process::{Child, Stdio},
    thread,
};

use anyhow::{Context, Result, ensure};

use crate::step;
use answers::Examples;
use build::Programs;
use suite::Suite;
use toolchain::Target;
use verdict::{TestResult, Verdict};
use wine::Wine;

/// Builds for Windows and runs the tests under Wine, compares the examples' answers with those of Linux, and type-checks macOS
///
/// Ends with an error when a test fails, or when more than a tenth of a suite is skipped.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask platforms
  cargo xtask platforms --only pool -- retries::     tests of mt-pool with `retries::` in their names
  cargo xtask platforms --only macos
  cargo xtask platforms --json                       a line of JSON for each test: suite, test, result, reason

Needs Debian's cargo-web, rustc-web, rust-web-src, gcc-mingw-w64-x86-64-win32 and wine64; all is built and kept below
target/platforms.")]
pub(crate) struct Args {
    /// Only this; may be given more than once
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,

    /// A line of JSON for each test, in place of text
    #[arg(long)]
    json: bool,

    /// Print the packages that are missing, on one line, and do nothing
    #[arg(long)]
    missing: bool,

    /// Which tests are run, by parts of their names
    #[arg(last = true, value_name = "NAMES")]
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// What a connection to a worker process does
    Conformance,
    /// The process tests of mt-pool
    Pool,
    /// The process tests of mt-beehive
    Hive,
    /// The README's examples, digest and predict
    Examples,
    /// macOS
    Macos,
}

/// Test programs: the part, how it is told, package and target.
const SUITES: [(Part, &str, &str, &str); 3] = [
    (Part::Conformance, "conformance", "mt-ipc", "conformance"),
    (Part::Pool, "mt-pool", "mt-pool", "processes"),
    (Part::Hive, "mt-beehive", "mt-beehive", "processes"),
];

impl Args {
    fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn has_windows(&self) -> bool {
        self.has(Part::Examples) || SUITES.iter().any(|(part, ..)| self.has(*part))
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "other systems are looked at from Linux"
    );
    if args.missing {
        println!("{}", needs::missing(args.has_windows()).join(" "));
        return Ok(());
    }
    needs::check(args.has_windows())?;
    let mut verdict = Verdict::new(args.json);
    let windows = args
        .has_windows()
        .then(|| Windows::build(args))
        .transpose()?;
    // Beside the tests, which wait more than they compute.
    let macos = args.has(Part::Macos).then(check_macos).transpose()?;
    if let Some(windows) = windows {
        windows.run(args, &mut verdict)?;
    }
    if let Some(macos) = macos {
        let outcome = outcome_of(macos);
        let check = TestResult::new("macos", "cargo check, all targets", outcome);
        verdict.take("macos", vec![check])?;
    }
    verdict.pass(!args.names.is_empty())
}

/// All that is run under Wine.
struct Windows {
    programs: Programs,
    /// The examples of this system.
    here: Option<Programs>,
    wine: Wine,
}

impl Windows {
    fn build(args: &Args) -> Result<Self> {
        thread::scope(|scope| {
            let wine = scope.spawn(Wine::start);
            eprintln!("==> building for Windows");
            let programs = Programs::build(toolchain::cargo(Target::Windows, &words(args)))?;
            // Of the workspace, as the tests are: with other features all would be built once more.
            let here = "build --workspace --example digest --example predict";
            let here = || Programs::build(step::cargo(here));
            let here = args.has(Part::Examples).then(here).transpose()?;
            let wine = wine.join().ok().context("the start of Wine panicked")??;
            Ok(Self {
                programs,
                here,
                wine,
            })
        })
    }

    fn run(&self, args: &Args, verdict: &mut Verdict) -> Result<()> {
        for (part, name, package, target) in SUITES {
            if args.has(part) {
                eprintln!("==> {name} under Wine");
                let suite = Suite {
                    name,
                    program: self.programs.get(package, target)?,
                    wine: &self.wine,
                    filters: &args.names,
                };
                verdict.take(name, suite.run()?)?;
            }
        }
        if let Some(here) = &self.here {
            eprintln!("==> examples under Wine");
            let examples = Examples {
                here,
                there: &self.programs,
                wine: &self.wine,
            };
            verdict.take("examples", examples.run())?;
        }
        Ok(())
    }
}

/// What cargo builds, in one go.
fn words(args: &Args) -> String {
    let mut words = "build -p mt-ipc -p mt-pool -p mt-beehive".to_owned();
    let suites = SUITES.iter().filter(|(part, ..)| args.has(*part));
    let mut targets: Vec<&str> = suites.map(|(.., target)| *target).collect();
    targets.dedup();
    for target in targets {
        words.push_str(" --test ");
        words.push_str(target);
    }
    if args.has(Part::Examples) {
        words.push_str(" --example digest --example predict");
    }
    words
}

fn check_macos() -> Result<Child> {
    eprintln!("==> checking for macOS");
    let mut check = toolchain::cargo(
        Target::MacOs,
        "check --workspace --all-targets --keep-going",
    );
    check.arg("--quiet").stdin(Stdio::null());
    check.stdout(Stdio::null()).stderr(Stdio::piped());
    check.spawn().context("failed to start cargo")
}

fn outcome_of(check: Child) -> Result<()> {
    let output = check.wait_with_output();
    let output = output.context("failed to wait for cargo")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "cargo ended with {}\n{told}",
        output.status
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Args, words};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let cli = Cli::parse_from(format!("platforms {line}").split_whitespace());
        let built = words(&cli.args);
        let packages = "build -p mt-ipc -p mt-pool -p mt-beehive";
        assert_eq!(built.strip_prefix(packages), Some(expected));
    }

    #[test]
    fn what_is_asked_for_is_built_and_nothing_else() {
        let examples = " --example digest --example predict";
        check(
            "",
            &format!(" --test conformance --test processes{examples}"),
        );
        check("--only hive -- retries::", " --test processes");
        check("--only examples --only macos", examples);
    }
}

//! Fuzzing on stable Rust, as a test: inputs are changed at random, and those that show something new are kept
//! and changed further.
//!
//! What is new is told by the target itself, not by the compiler: it notes what happens ([`Trail`]), and an
//! input is kept if it was the first to make something happen, or two things one after the other.
//!
//! A plain run of the tests plays the corpus and some thousand changes of it, always the same. `cargo xtask fuzz`
//! gives every target its time, on all processors:
//!
//! | variable | meaning |
//! |---|---|
//! | `MT_FUZZ_SECONDS` | how long, with a seed of its own for each run; one line of JSON tells what was done |
//! | `MT_FUZZ_SEED` | that seed |
//! | `MT_FUZZ_KEEP` | if set: writes the corpus anew, the shortest inputs that show everything that was seen |
//! | `MT_FUZZ_INPUT` | plays the input in this file, and nothing else |

mod corpus;
mod failure;
mod mutate;
mod run;
mod trail;

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process,
    time::{Duration, Instant},
};

use self::run::Run;
pub use self::trail::Trail;

/// The longest input.
const MAX_INPUT_BYTES: usize = 4096;
/// How many inputs a plain run of the tests plays, beside the corpus.
const PLAIN_EXECUTIONS: u64 = 1_000;

/// Plays a target with many inputs; panics if one of them makes it panic, or it hangs. `corpus` is the file of the inputs to start
/// with, one a line in hexadecimal.
pub fn fuzz(name: &'static str, corpus: &str, target: impl Fn(&[u8], &mut Trail) + Sync) {
    if let Some(file) = env::var_os("MT_FUZZ_INPUT") {
        return target(&fs::read(file).unwrap(), &mut Trail::default());
    }
    let number = |name| env::var(name).ok().map(|text| text.parse::<f64>().unwrap());
    let time = number("MT_FUZZ_SECONDS").map(Duration::from_secs_f64);
    let clock = Instant::now();
    let seed = match (number("MT_FUZZ_SEED"), time) {
        (Some(seed), _) => seed as u64,
        (None, None) => 0,
        (None, Some(_)) => u64::from(process::id()) ^ (clock_seed() << 20),
    };
    let path = Path::new(corpus);
    let run = Run::new(corpus::read(path), seed, time, PLAIN_EXECUTIONS);
    let guarded = |input: &[u8], trail: &mut Trail| {
        catch_unwind(AssertUnwindSafe(|| target(input, trail))).is_ok()
    };
    let failed = run.play(&guarded, &|input| failure::hangs(name, input));
    if let Some(input) = failed {
        failure::report(name, input, seed, &|input| {
            guarded(input, &mut Trail::default())
        });
    }
    let (executions, kept) = (run.executions(), run.kept());
    if env::var_os("MT_FUZZ_KEEP").is_some() {
        corpus::write(path, &kept, &guarded);
    }
    if time.is_some() {
        let (kept, seconds) = (kept.len(), clock.elapsed().as_secs_f64());
        println!(
            r#"{{"fuzz":"{name}","executions":{executions},"kept":{kept},"seconds":{seconds:.1},"seed":{seed}}}"#
        );
    }
}

/// Nanoseconds of the wall clock, so that no two runs are alike.
fn clock_seed() -> u64 {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
    now.map_or(0, |now| u64::from(now.subsec_nanos()))
}

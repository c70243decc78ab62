//! Counting the instructions of the hot paths: gungraun's benches under callgrind.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::accepted::{Counts, first_line};
use crate::step::{self, Step};

/// The version of gungraun, whose runner must be that of the library in `Cargo.lock`.
const GUNGRAUN: &str = "0.20.0";

/// The items each hot path is run over: `ITEMS` of the bench.
const ITEMS: f64 = 1_000.0;

/// Runs the benches and returns the instructions an item of each, by the names of function and case.
pub(super) fn count() -> Result<Counts> {
    if first_line(Command::new("valgrind").arg("--version")).is_err() {
        bail!(
            "valgrind is missing, which counts instructions: install it, for instance with apt-get install valgrind"
        );
    }
    let mut bench = step::cargo("bench --quiet --package mt-benches --bench instructions --");
    bench.arg("--output-format=json");
    bench.env("GUNGRAUN_RUNNER", runner()?);
    // As anybody's: no flags for this processor, nothing of another build reused.
    bench.env("CARGO_ENCODED_RUSTFLAGS", "");
    bench.env("CARGO_INCREMENTAL", "0");
    let told = step::output(bench)?;
    let benches = serde_json::Deserializer::from_str(&told).into_iter::<Value>();
    let counts: Counts = benches
        .map(|bench| counted(&bench.context("gungraun told no JSON")?))
        .collect::<Result<_>>()?;
    ensure!(!counts.is_empty(), "gungraun has counted nothing");
    Ok(counts)
}

/// The name of a bench's function and case, and its instructions an item.
fn counted(bench: &Value) -> Result<(String, f64)> {
    let word = |name: &str| bench[name].as_str().context("gungraun names no bench");
    let name = format!("{}/{}", word("function_name")?, word("id")?);
    let path = "/profiles/0/data/total/metrics/Ir/values/new";
    let count = bench.pointer(path).and_then(Value::as_f64);
    let count = count.with_context(|| format!("gungraun tells no instructions of {name}"))?;
    Ok((name, count / ITEMS))
}

/// The runner's program, which is built and installed below the target folder if it is not there.
fn runner() -> Result<PathBuf> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let root = step::root().join(target).join("tools");
    let program = root.join("bin/gungraun-runner");
    let version = first_line(Command::new(&program).arg("--version")).unwrap_or_default();
    if !version.ends_with(GUNGRAUN) {
        eprintln!("gate: installing gungraun-runner {GUNGRAUN}, once");
        // It only starts others, so building it quickly is worth more.
        let mut install = step::cargo("install --quiet --locked --debug gungraun-runner");
        install.args(["--version", GUNGRAUN, "--root"]).arg(&root);
        install.env("CARGO_PROFILE_DEV_DEBUG", "0");
        let installed = Step::command("install", install).run();
        installed.context("gungraun-runner can't be installed")?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{GUNGRAUN, counted};
    use crate::step;

    #[test]
    fn the_count_is_read_from_the_report() {
        let profile =
            |values| json!({ "data": { "total": { "metrics": { "Ir": { "values": values }}}}});
        let bench =
            |values| json!({ "function_name": "f", "id": "c", "profiles": [profile(values)] });
        let read = counted(&bench(json!({ "new": 2500 })));
        assert_eq!(read.expect("it is there"), ("f/c".to_owned(), 2.5));
        // One that was counted before comes with that.
        let read = counted(&bench(json!({ "new": 2500, "old": 1 })));
        assert_eq!(read.expect("it is there").1, 2.5);
        assert!(counted(&bench(json!({}))).is_err());
    }

    #[test]
    fn the_runner_is_of_the_same_version() {
        let manifest = std::fs::read_to_string(step::root().join("Cargo.toml"));
        let line = format!("gungraun = \"={GUNGRAUN}\"");
        assert!(manifest.expect("it is there").contains(&line));
    }
}

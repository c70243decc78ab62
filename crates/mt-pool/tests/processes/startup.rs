//! Workers that do not come up: the wrong program, no program, no descriptors left.

use std::{env, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use mt_pool::{TaskErrorKind, asyn_pmap, limits::WorkerOptions, task};
use mt_test_kit::watchdog;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    report::complete,
    scene::{check, works},
};

#[task]
fn double(n: u64) -> u64 {
    2 * n
}

/// Why every item of a run with this worker program has no value.
fn refused_by(program: impl AsRef<Path>) -> String {
    let run = asyn_pmap::<double>(0..20).workers(WorkerOptions::new().program(program.as_ref()));
    let report = complete(run.processes(2), 20);
    assert_eq!(report.failed().len(), 20);
    let kind = report.error(19).kind();
    assert!(matches!(kind, TaskErrorKind::Pool(_)), "{kind:?}");
    report.error(0).to_string()
}

pub(crate) fn script(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("program");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_program_that_ends_at_once() {
    check(|| {
        for (program, how) in [
            ("true", "exited with code 0"),
            ("false", "exited with code 1"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let why = refused_by(script(folder.path(), &format!("exec {program}")));
            assert!(
                why.contains(how) && why.contains("mt_pool::init()"),
                "{why}"
            );
        }
    });
}

#[test]
fn a_program_that_lives_and_says_nothing() {
    check(|| {
        for program in ["cat", "sleep 1000"] {
            let folder = tempfile::tempdir().unwrap();
            let why = refused_by(script(folder.path(), &format!("exec {program}")));
            assert!(
                why.contains("said nothing") && why.contains("mt_pool::init()"),
                "{why}"
            );
        }
    });
}

#[test]
fn a_program_that_says_something_else() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let why = refused_by(script(
            folder.path(),
            "echo hello, world >&0; exec sleep 1000",
        ));
        assert!(why.contains("hello"), "{why}");
    });
}

#[test]
fn a_program_that_is_not_there() {
    check(|| {
        let why = refused_by("/nowhere/at/all");
        assert!(why.contains("/nowhere/at/all"), "{why}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("no-program");
        fs::write(&file, "text").unwrap();
        assert!(refused_by(&file).contains("no-program"));
    });
}

#[test]
fn no_descriptor_left() {
    check(|| {
        let before = getrlimit(Resource::Nofile);
        for spare in [0, 1, 2, 4, 8, 16] {
            let open = fs::read_dir("/proc/self/fd").unwrap().count() as u64 - 1;
            let low = Rlimit {
                current: Some(open + spare),
                ..before
            };
            let run = asyn_pmap::<double>(0..20).processes(2);
            setrlimit(Resource::Nofile, low).unwrap();
            let started = run.start();
            let outcomes = started.map(|run| run.into_iter().collect::<Vec<_>>());
            setrlimit(Resource::Nofile, before).unwrap();
            // Too few for the run itself is a clear error too.
            let Ok(outcomes) = outcomes else { continue };
            assert_eq!(outcomes.len(), 20);
            // Either the parent or a worker, which has the limit too, had too few.
            for outcome in outcomes {
                let error = outcome.as_ref().err().map(|error| error.kind());
                assert!(
                    matches!(error, None | Some(TaskErrorKind::Pool(_))),
                    "{error:?}"
                );
            }
            works();
        }
    });
}

/// The variable that tells a copy of this program to delete itself.
const COPY: &str = "MT_TEST_COPY";

#[test]
fn the_program_deleted_and_replaced_while_it_runs() {
    let _watchdog = watchdog("deleted");
    if env::var_os(COPY).is_some() {
        let own = env::current_exe().unwrap();
        works();
        fs::remove_file(&own).unwrap();
        works();
        fs::write(&own, "something else").unwrap();
        return works();
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    fs::copy(env::current_exe().unwrap(), &copy).unwrap();
    let name = "startup::the_program_deleted_and_replaced_while_it_runs";
    let mut command = Command::new(copy);
    command
        .args([name, "--exact", "--nocapture"])
        .env(COPY, "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

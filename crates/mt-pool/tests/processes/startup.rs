//! Workers that do not come up: the wrong program, no program, no descriptors left.

use std::{env, fs, path::Path, process::Command};

use mt_test_kit::descriptors;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{prelude::*, scene::works};

/// Why every item of a run with this worker program has no value.
fn refused_by(program: impl AsRef<Path>) -> String {
    let run = asyn_pmap::<double>(0..20).workers(WorkerOptions::new().program(program.as_ref()));
    let report = complete(run.processes(2), 20);
    (0..20).for_each(|index| drop(report.no_workers(index).to_string()));
    report.error(0).to_string()
}

/// The same of a program of the shell, which says all this.
fn script_is_refused(text: &str, says: &[&str]) {
    let why = refused_by(Folder::temp().script("program", text));
    assert!(says.iter().all(|what| why.contains(what)), "{why}");
}

#[test_with(alone)]
fn a_program_that_ends_at_once() {
    script_is_refused("exec true", &["exited with code 0", "mt_pool::init()"]);
    script_is_refused("exec false", &["exited with code 1", "mt_pool::init()"]);
}

#[test_with(alone)]
fn a_program_that_lives_and_says_nothing() {
    for program in ["exec cat", "exec sleep 1000"] {
        script_is_refused(program, &["said nothing", "mt_pool::init()"]);
    }
}

#[test_with(alone)]
fn a_program_that_says_something_else() {
    script_is_refused("echo hello, world >&0; exec sleep 1000", &["hello"]);
}

#[test_with(in_folder)]
fn a_program_that_is_not_there(folder: Folder) {
    let why = refused_by("/nowhere/at/all");
    assert!(why.contains("/nowhere/at/all"), "{why}");
    assert!(folder.first("no-program"));
    assert!(refused_by(folder.file("no-program")).contains("no-program"));
}

#[test_with(alone)]
fn no_descriptor_left() {
    let before = getrlimit(Resource::Nofile);
    for spare in [0, 1, 2, 4, 8, 16] {
        let open = descriptors().len() as u64 - 1;
        let current = Some(open + spare);
        let low = Rlimit { current, ..before };
        let run = asyn_pmap::<double>(0..20).processes(2);
        setrlimit(Resource::Nofile, low).unwrap();
        let started = run.start();
        let outcomes = started.map(|run| run.into_iter().collect::<Vec<_>>());
        setrlimit(Resource::Nofile, before).unwrap();
        // Too few for the run itself is a clear error too.
        let Ok(outcomes) = outcomes else { continue };
        assert_eq!(outcomes.len(), 20);
        // Either the parent or a worker, which has the limit too, had too few.
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(error.kind(), TaskErrorKind::Pool(_)), "{error}");
        }
        works();
    }
}

/// What becomes of 20 items while this process, and its workers, may use so much: values, or why there is no worker.
fn under(resource: Resource, most: u64) -> Vec<String> {
    let before = getrlimit(resource);
    let run = asyn_pmap::<double>(0..20).processes(2);
    let low = Rlimit {
        current: Some(most),
        ..before.clone()
    };
    setrlimit(resource, low).unwrap();
    let started = run.start();
    let outcomes = started.map(|run| run.into_iter().collect::<Vec<_>>());
    setrlimit(resource, before).unwrap();
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        // Too little for the run itself.
        Err(error) => return vec![error.to_string(); 20],
    };
    assert_eq!(outcomes.len(), 20);
    let errors = outcomes.into_iter().filter_map(Result::err);
    let told = errors.map(|error| {
        assert!(matches!(error.kind(), TaskErrorKind::Pool(_)), "{error}");
        error.to_string()
    });
    told.collect()
}

/// Case 4: A limit of files' sizes that leaves no room for the memory shared with workers is an error that names it.
#[test_with(alone)]
fn no_file_may_be_large_enough() {
    for bytes in [0, 4096, 12287] {
        let told = under(Resource::Fsize, bytes);
        assert_eq!(told.len(), 20);
        assert!(told[0].contains("ulimit -f"), "{}", told[0]);
        works();
    }
    assert!(under(Resource::Fsize, 12288).is_empty());
}

/// Case 4: Too little address space is an error, in this process or in its workers, and ends neither by a panic.
#[test_with(alone)]
fn no_address_space_left() {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    for spare in [0, 1, 4, 16, 64, 256].map(|mebibytes| mebibytes << 20) {
        let told = under(Resource::As, pages * 4096 + spare);
        assert!(
            spare > 16 << 20 || told[0].contains("ulimit -v"),
            "{told:?}"
        );
        works();
    }
}

/// Case 4: What workers say past a limit of files' sizes is dropped, and does not end this process.
#[test]
fn a_standard_error_that_may_not_grow() {
    let _watchdog = watchdog("small log");
    if env::var_os("SMALL_LOG").is_some() {
        let say = |n| Deed::SayLines(1000, Box::new(Deed::Return(n)));
        return assert_eq!(succeeded(asyn_pmap::<act>((0..8).map(say)).processes(2)), 8);
    }
    let folder = Folder::temp();
    let log = fs::File::create(folder.file("log")).unwrap();
    let own = env::current_exe().unwrap();
    let name = "startup::a_standard_error_that_may_not_grow";
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 40; exec \"$0\" \"$@\""]);
    shell.arg(own).args([name, "--exact", "--nocapture"]);
    let status = shell.env("SMALL_LOG", "1").stderr(log).status().unwrap();
    assert!(status.success(), "{status}");
    let written = fs::metadata(folder.file("log")).unwrap().len();
    assert!((20 * 1024..=40 * 1024).contains(&written), "{written}");
}

#[test]
fn the_program_deleted_and_replaced_while_it_runs() {
    let _watchdog = watchdog("deleted");
    let own = env::current_exe().unwrap();
    if own.file_name().is_some_and(|name| name == "copy") {
        works();
        fs::remove_file(&own).unwrap();
        works();
        fs::write(&own, "something else").unwrap();
        return works();
    }
    let folder = Folder::temp();
    let copy = folder.file("copy");
    fs::copy(own, &copy).unwrap();
    let name = "startup::the_program_deleted_and_replaced_while_it_runs";
    let output = Command::new(copy)
        .args([name, "--exact", "--nocapture"])
        .output();
    assert!(output.as_ref().unwrap().status.success(), "{output:?}");
}

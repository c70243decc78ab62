//! Workers that do not come up, by what only Linux can be short of.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use mt_pool::StartError;
use mt_test_kit::{descriptors, with_at_most, with_little_memory};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{prelude::*, scene::works};

/// The loader's own path, where there is one that everybody has.
const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// Case 24: A program that was started by calling the dynamic loader finds itself, and its workers start.
#[test]
fn a_program_that_the_loader_was_called_with() {
    let _watchdog = watchdog("loader");
    let own = env::current_exe().unwrap();
    if env::var_os("MT_TEST_LOADED").is_some() {
        return works();
    }
    if !Path::new(LOADER).exists() {
        return eprintln!("not tried: no loader at {LOADER}");
    }
    let mut loader = Command::new(LOADER);
    let name = "platform::linux::startup::a_program_that_the_loader_was_called_with";
    loader.arg(own).args([name, "--exact", "--nocapture"]);
    let output = loader.env("MT_TEST_LOADED", "1").output().unwrap();
    assert!(output.status.success(), "{output:?}");
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
    let run = asyn_pmap::<double>(0..20).processes(2);
    let started = || run.start().map(|run| run.into_iter().collect::<Vec<_>>());
    let outcomes = match with_at_most(resource, most, started) {
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
    with_little_memory(|resource, most| {
        let why = under(resource, most).into_iter().next();
        works();
        why
    });
}

/// Case 4: Where there are no descriptors for a process's very first run, that is an error, and no panic.
#[test]
fn no_descriptor_for_the_first_run() {
    mt_test_kit::alone(
        "platform::linux::startup::no_descriptor_for_the_first_run",
        || {
            let before = getrlimit(Resource::Nofile);
            let open = descriptors().len() as u64 - 1;
            for spare in 0..6 {
                let current = Some(open + spare);
                setrlimit(Resource::Nofile, Rlimit { current, ..before }).unwrap();
                let started = asyn_pmap::<double>(0..20).processes(1).start();
                setrlimit(Resource::Nofile, before).unwrap();
                // A number below that was free may do.
                match started {
                    Err(error) => assert_is!(error, StartError::Thread(_)),
                    Ok(run) => assert!(spare > 0, "{run:?}"),
                }
            }
            works();
        },
    );
}

/// Case 39: A program that does not find itself, because `/proc` is not mounted, says that.
#[test]
fn no_proc_to_find_the_program_by() {
    let _watchdog = watchdog("no /proc");
    if env::var_os("NO_PROC").is_some() {
        let report = complete(asyn_pmap::<double>(0..3).processes(1), 3);
        let why = report.error(0).to_string();
        return assert!(why.contains("`/proc` is not mounted"), "{why}");
    }
    let without = |program: &Path| {
        let mut command = Command::new("unshare");
        let hidden = "mount -t tmpfs none /proc && exec \"$0\" \"$@\"";
        command.args(["--mount", "sh", "-c", hidden]).arg(program);
        command
    };
    if !without(Path::new("true"))
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("not tried: nothing can be mounted here");
        return;
    }
    let mut command = without(&env::current_exe().unwrap());
    command.args([
        "platform::linux::startup::no_proc_to_find_the_program_by",
        "--exact",
    ]);
    let output = command.env("NO_PROC", "1").output().unwrap();
    assert!(output.status.success(), "{output:?}");
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
    let name = "platform::linux::startup::a_standard_error_that_may_not_grow";
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 40; exec \"$0\" \"$@\""]);
    shell.arg(own).args([name, "--exact", "--nocapture"]);
    // Its standard output is no file, which might not grow either.
    let output = shell
        .env("SMALL_LOG", "1")
        .stderr(log)
        .stdout(Stdio::piped());
    let output = output.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let written = fs::metadata(folder.file("log")).unwrap().len();
    assert!((20 * 1024..=40 * 1024).contains(&written), "{written}");
}

/// Case D26: A program whose file was deleted or replaced while it runs still starts workers.
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
    let name = "platform::linux::startup::the_program_deleted_and_replaced_while_it_runs";
    let output = Command::new(copy)
        .args([name, "--exact", "--nocapture"])
        .output();
    assert!(output.as_ref().unwrap().status.success(), "{output:?}");
}

//! Workers that do not come up: the wrong program, no program, no descriptors left.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use mt_pool::StartError;
use mt_test_kit::{descriptors, with_at_most, with_little_memory, worker_after};
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

/// Case 17: A program that does not contain this library is known for that at once.
#[test_with(alone)]
fn a_program_that_lives_and_says_nothing() {
    for program in ["exec cat", "exec sleep 1000"] {
        let says = [
            "said nothing",
            "does not contain mt-pool",
            "mt_pool::init()",
        ];
        script_is_refused(program, &says);
    }
}

/// A worker program that is this one, started by a shell that does something before.
fn started_after(what: &str) -> WorkerOptions {
    WorkerOptions::new().program(worker_after(what))
}

/// Whoever the shell waits for, in a wrapper or in a constructor of the program: nobody is given up for being slow.
///
/// Case 17: A worker whose start takes its time is waited for, and is told of after 2 s.
#[test_with(alone)]
fn a_start_that_takes_long() {
    for (before, is_told) in [
        ("sleep 0.7", false),
        ("export MT_TEST_SLOW_START=700", false),
        ("export MT_TEST_SLOW_START=2300", true),
    ] {
        let run = asyn_pmap::<double>(0..20).processes(2);
        let report = complete(run.workers(started_after(before)), 20);
        assert_eq!(report.failed(), [0_usize; 0], "{before}");
        assert_eq!(report.stats.workers_died, 0);
        let slow = report.told(|event| matches!(event, PoolEvent::WorkerSlow { .. }));
        assert_eq!(slow > 0, is_told, "{before}");
    }
}

/// Case 17: A worker that says nothing within the start limit is given up, and the error says what to do.
#[test_with(alone)]
fn a_start_that_takes_too_long() {
    let workers = started_after("export MT_TEST_SLOW_START=100000");
    let workers = workers.start_limit(Duration::from_millis(900));
    let run = asyn_pmap::<double>(0..20).processes(1).workers(workers);
    let why = complete(run, 20).no_workers(0).to_string();
    assert!(
        why.contains("start_limit") && why.contains("init()"),
        "{why}"
    );
    assert!(why.contains("1.0 s"), "looks are 0.2 s apart: {why}");
}

/// The pool's process is stopped while its worker starts. The time of that is nobody's.
///
/// Case 17: A host that is stopped while its only worker starts does not give that worker up.
#[test_with(alone)]
fn a_host_that_is_stopped_while_a_worker_starts() {
    let workers = started_after("kill -STOP $PPID; sleep 1.5; kill -CONT $PPID");
    let workers = workers.start_limit(Duration::from_secs(1));
    let run = asyn_pmap::<double>(0..20).processes(1).workers(workers);
    assert_eq!(complete(run, 20).failed(), [0_usize; 0]);
}

/// Case 39: A worker process that could not start says why, and the error says that and nothing else.
#[test_with(alone)]
fn a_worker_that_can_not_start_says_why() {
    // No room for the thread of its link, and no address space for anything else.
    let why = fails_with(started_after("ulimit -n 5"));
    assert!(why.contains("can't work: "), "{why}");
    assert!(!why.contains("init()"), "{why}");
    // A worker's name, and no connection of ours.
    let why = fails_with(started_after("exec </dev/null"));
    assert!(why.contains("no connection to a parent"), "{why}");
    assert!(!why.contains("init()"), "{why}");
}

fn fails_with(workers: WorkerOptions) -> String {
    let run = asyn_pmap::<double>(0..20).processes(1).workers(workers);
    complete(run, 20).no_workers(0).to_string()
}

/// Case 39: A program that was started by hand under a worker's name says what is wrong.
#[test]
fn a_worker_s_name_without_a_parent() {
    let mut own = Command::new(env::current_exe().unwrap());
    std::os::unix::process::CommandExt::arg0(&mut own, "mt-worker");
    own.args(["mt_pool_worker", "--exact", "--nocapture"]);
    let output = own.stdin(std::process::Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no connection to a parent"), "{said}");
    assert_eq!(output.status.code(), Some(70));
}

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
    let name = "startup::a_program_that_the_loader_was_called_with";
    loader.arg(own).args([name, "--exact", "--nocapture"]);
    let output = loader.env("MT_TEST_LOADED", "1").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[task]
fn length_of(#[shared] texts: &[String; 1], _: u64) -> usize {
    texts[0].len()
}

/// Case 30: A shared value whose transfer takes longer than the time that a silent worker has is received.
#[test_with(alone)]
fn a_shared_value_that_takes_longer_than_beats_may() {
    let text = "x".repeat(300 << 20);
    let run = asyn_pmap::<length_of>(0..2).shared([text]).processes(1);
    let run = run.workers(WorkerOptions::new().liveness(beats(100, 3)));
    let report = complete(run, 2);
    assert_eq!(report.stats.workers_started, 1);
    assert_eq!(report.values(), [300 << 20; 2]);
}

#[task]
fn repeats(text: String) -> String {
    text
}

/// Case 30: An item and a result of any length cross, however short the time that a silent worker has.
#[test_with(alone)]
fn items_and_results_that_take_longer_than_beats_may() {
    let text = "x".repeat(300 << 20);
    let run = asyn_pmap::<repeats>([text]).processes(1);
    let run = run.workers(WorkerOptions::new().liveness(beats(100, 3)));
    let report = complete(run, 1);
    assert_eq!(report.stats.workers_started, 1);
    assert_eq!(report.values()[0].len(), 300 << 20);
}

#[test_with(alone)]
fn a_program_that_says_something_else() {
    script_is_refused("echo hello, world >&0; exec sleep 1000", &["hello"]);
}

/// Case M103: A program that is not there is why there are no workers, by its path.
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
    mt_test_kit::alone("startup::no_descriptor_for_the_first_run", || {
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
    });
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
    command.args(["startup::no_proc_to_find_the_program_by", "--exact"]);
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
    let name = "startup::a_standard_error_that_may_not_grow";
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
    let name = "startup::the_program_deleted_and_replaced_while_it_runs";
    let output = Command::new(copy)
        .args([name, "--exact", "--nocapture"])
        .output();
    assert!(output.as_ref().unwrap().status.success(), "{output:?}");
}

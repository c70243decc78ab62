//! What workers, and programs that tasks start, have from the process that has started them all.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, Stdio},
};

use mt_test_kit::{Scene, descriptors, itself, role};

use crate::prelude::*;

const INT: u32 = 2;
const HUP: u32 = 1;
const CHLD: u32 = 17;

#[task]
fn code_of_a_program(code: i32) -> Option<i32> {
    let program = Command::new("sh")
        .args(["-c", &format!("exit {code}")])
        .status();
    program.unwrap().code()
}

/// The signals in a line of `/proc/<pid>/status`, as bits.
fn signals_in(status: &str, line: &str) -> u64 {
    let mask = status.lines().find_map(|it| it.strip_prefix(line)).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

fn has(mask: u64, signal: u32) -> bool {
    mask >> (signal - 1) & 1 == 1
}

/// The signals that are blocked, or ignored, in the thread of this call, and in a program that it starts.
#[task]
fn signals(line: String) -> [u64; 2] {
    let own = fs::read_to_string("/proc/thread-self/status").unwrap();
    let program = Command::new("cat").arg("/proc/self/status").output();
    let program = String::from_utf8(program.unwrap().stdout).unwrap();
    [own, program].map(|status| signals_in(&status, &line))
}

#[task]
fn brief(n: u64) -> u64 {
    thread::sleep(Duration::from_millis(1)); // work: so that there is something to interrupt
    n
}

/// Where a host starts that was started in an odd way. For the test runner this is nothing.
#[test]
fn as_host() {
    match role().as_str() {
        "children are ignored" => {
            let codes = values(asyn_pmap::<code_of_a_program>([0, 3, 4]).processes(1));
            assert_eq!(codes, [Some(0), Some(3), Some(4)]);
            for deed in [Deed::Segfault, Deed::Abort, Deed::Exit(7)] {
                let run = asyn_pmap::<act>([deed.clone()]).crash_limit(1);
                let (death, _) = complete(run, 1).crash(0);
                let expected = match deed {
                    Deed::Segfault => (None, Some(11)),
                    Deed::Abort => (None, Some(6)),
                    _ => (Some(7), None),
                };
                assert_eq!((death.exit.code, death.exit.signal), expected, "{death}");
            }
        }
        "signals are blocked" => {
            let blocked = values(asyn_pmap::<signals>(["SigBlk:".to_owned()]));
            assert_eq!(blocked, [[0, 0]]);
            // So a hard deadline's first signal comes through.
            let run = asyn_pmap::<act>([Deed::Never]).deadlines(hard(Duration::from_millis(20)));
            assert_eq!(complete(run, 1).deaths()[0].exit.signal, Some(15));
        }
        "interrupts are ignored" => {
            for [own, program] in values(asyn_pmap::<signals>(["SigIgn:".to_owned()])) {
                assert!(has(own, INT) && has(own, HUP) && !has(own, CHLD), "{own:x}");
                assert!(has(program, INT) && has(program, HUP), "{program:x}");
            }
            let mut run = asyn_pmap::<brief>(0..500)
                .processes(2)
                .start()
                .unwrap()
                .into_iter();
            assert_eq!(run.next().unwrap().unwrap(), 0);
            println!("WORKS");
            assert_eq!(run.by_ref().map(Result::unwrap).count(), 499);
            assert!(!run.stats().interrupted);
            println!("DONE");
            thread::park();
        }
        "nothing is open" => {
            let folder = Folder::at(std::env::var_os(FOLDER).unwrap());
            values(asyn_pmap::<double>(0..100).processes(2))
                .into_iter()
                .for_each(|n| folder.note("values", n));
        }
        _ => {}
    }
}

const FOLDER: &str = "MT_TEST_FOLDER";

/// A host started through this program, which is itself started with these words.
fn host(program: &str, words: &[&str], role: &str) -> Scene {
    Scene::start(&mut Scene::through(
        program,
        words,
        &Scene::of("platform::linux::inherited::as_host", role),
    ))
}

/// A host that ends well.
fn ends_well(words: &[&str], role: &str) {
    let status = host("env", words, role).end();
    assert!(status.success(), "{status}");
}

/// Case 12: a host that was started with SIGCHLD ignored learns how its workers end, and tasks how their programs do.
#[test]
fn children_that_are_ignored_are_not_lost() {
    ends_well(&["--ignore-signal=CHLD"], "children are ignored");
}

/// Case 12: workers, and programs that tasks start, begin with no signal blocked, whatever the host blocks.
#[test]
fn signals_that_are_blocked_in_the_host_are_not_in_workers() {
    ends_well(
        &["--block-signal=TERM,INT,USR1,CHLD,HUP"],
        "signals are blocked",
    );
}

/// Case 13: what the host was told to ignore is ignored by it, by its runs, its workers and the programs of tasks.
#[test]
fn an_interrupt_that_is_ignored_ends_nothing() {
    let words = ["--ignore-signal=INT,HUP,CHLD"];
    let mut host = host("env", &words, "interrupts are ignored");
    host.read_until("WORKS");
    host.signal(Signal::INT);
    host.read_until("DONE");
    // No run goes on any more.
    host.signal(Signal::INT);
    host.signal(Signal::HUP);
    host.signal(Signal::TERM);
    assert_eq!(host.end().signal(), Some(15));
}

/// Case P9: a host that was started with descriptors 0 to 2 closed works.
#[test]
fn nothing_open_at_the_start() {
    let folder = Folder::temp();
    let mut command = Scene::of("platform::linux::inherited::as_host", "nothing is open");
    command.env(FOLDER, folder.path());
    let words = ["-c", "exec \"$0\" \"$@\" <&- >&- 2>&-"];
    let status = Scene::start(&mut Scene::through("bash", &words, &command)).end();
    assert!(status.success(), "{status}");
    let doubled: Vec<u64> = (0..100).map(|n| 2 * n).collect();
    assert_eq!(folder.noted("values"), doubled);
}

/// What the worker's descriptors are of, except for 0 to 2.
#[task]
fn open(_: u64) -> Vec<String> {
    let open = descriptors().into_iter().filter(|(fd, _)| *fd > 2);
    open.map(|(_, target)| target.display().to_string())
        .collect()
}

/// Case 23: a worker that is kept holds no listener of the host, also if that is not close-on-exec.
#[test_with(alone)]
fn a_listener_of_the_host_is_not_kept_by_workers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let inherited = rustix::io::dup(&listener).unwrap();
    let file = rustix::io::dup(fs::File::open("/etc/passwd").unwrap()).unwrap();
    let has_file = |open: &[Vec<String>]| open[0].iter().any(|target| target == "/etc/passwd");
    let pool = Pool::builder().processes(1).start().unwrap();
    assert!(!has_file(&values(asyn_pmap::<open>([0]).pool(&pool))));
    assert_eq!(pool.idle_workers(), 1);
    drop((listener, inherited));
    assert!(TcpStream::connect(address).is_err(), "a worker listens");
    TcpListener::bind(address).unwrap();
    // Unless it is told to.
    let keeping = || WorkerOptions::new().inherit_descriptors(true);
    assert!(has_file(&values(
        asyn_pmap::<open>([0]).workers(keeping()).pool(&pool)
    )));
    assert!(!has_file(&values(asyn_pmap::<open>([0]).pool(&pool))));
    drop(file);
}

#[task]
fn names(_: u64) -> [String; 2] {
    let read = |file| fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    [read("comm"), read("cmdline")]
}

/// Case 11: `top` shows a worker by a name of its own, and `ps` the program's with it.
#[test_with(alone)]
fn a_worker_has_a_telling_name() {
    let [comm, line] = values(asyn_pmap::<names>([0])).remove(0);
    assert_eq!(comm, "mt-worker\n");
    let own = std::env::current_exe().unwrap();
    let own = own.file_name().unwrap().display();
    assert!(line.starts_with(&format!("mt-worker ({own})\0")), "{line}");
}

/// Case 11: a program that was started by hand under a worker's name says what is wrong.
#[test]
fn a_worker_s_name_without_a_parent() {
    let mut program = itself("mt_pool_worker");
    program.arg0("mt-worker").stdin(Stdio::null());
    let output = program.output().unwrap();
    assert_eq!(output.status.code(), Some(70));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("mt-worker") && said.contains("another name"),
        "{said}"
    );
}

#[task]
fn dies_by(number: i32) {
    signal(std::process::id(), Signal::from_named_raw(number).unwrap());
    // It may come to another thread.
    loop {
        thread::park();
    }
}

/// Case 11: a death by any signal is told with the signal's name.
#[test_with(alone)]
fn a_death_is_told_with_its_signal_s_name() {
    let signals = [
        (24, "SIGXCPU: the limit on its processor time"),
        (25, "SIGXFSZ: the limit on the size of its files"),
        (31, "SIGSYS"),
        (30, "SIGPWR"),
    ];
    for (number, name) in signals {
        let run = asyn_pmap::<dies_by>([number]).crash_limit(1);
        let (death, _) = complete(run, 1).crash(0);
        let told = death.to_string();
        assert!(
            told.contains(&format!("signal {number} ({name})")),
            "{told}"
        );
    }
}

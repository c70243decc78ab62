//! From spawn to exit, as it should be and as it should not.

use std::{fs, io::ErrorKind, os::unix::process::CommandExt, process::Command};

use futures::FutureExt;
use mt_ipc::{HandshakeError, Program, SpawnError, spawn};
use mt_proto::{Beat, FromWorker, PROTOCOL_VERSION, ToWorker};
use mt_test_kit::{Signal, assert_is, signal};
use tokio::signal::unix::SignalKind;

use crate::scene::{Worker, check, check_alone, role};

#[test]
fn a_worker_greets_is_accepted_and_talks_both_ways() {
    check(async {
        let mut worker = Worker::start(role("echo")).await;
        worker.shake_hands().await.unwrap();
        let sent = mt_proto::Frame::new(mt_proto::Kind::Items, vec![5; 10 << 20]);
        worker.sender.try_send(sent.clone()).unwrap();
        worker.send(ToWorker::Beat(Beat::Die));
        // The beat overtakes the long body, there or back.
        let kinds = [worker.receiver.recv().await, worker.receiver.recv().await]
            .map(|frame| frame.unwrap().unwrap());
        assert!(kinds.contains(&sent), "the body came back changed");
        worker.sender.close();
        assert_eq!(worker.receiver.recv().await.unwrap(), None);
        let exit = worker.process.wait().await;
        assert_eq!((exit.code, exit.signal), (Some(0), None));
        let again = worker.process.wait().await;
        assert_eq!(again, exit, "waiting again tells the same");
        worker.writer.await.unwrap().unwrap();
    });
}

/// A program that has given `SIGPIPE` back its default effect, as command line tools do, must not die of it.
#[test]
fn writing_to_a_dead_worker_raises_no_signal() {
    check_alone(async {
        let mut broken_pipes = tokio::signal::unix::signal(SignalKind::pipe()).unwrap();
        let mut marks = tokio::signal::unix::signal(SignalKind::user_defined1()).unwrap();
        let mut worker = Worker::ready("echo").await;
        worker.process.kill();
        worker.process.wait().await;
        // A writer that has seen the end already takes nothing more.
        let _ = worker
            .sender
            .try_send(ToWorker::Beat(Beat::Alive).into_frame());
        let error = worker.writer.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        // What was raised before is told with it.
        signal(std::process::id(), Signal::USR1);
        marks.recv().await.unwrap();
        assert_eq!(broken_pipes.recv().now_or_never(), None);
    });
}

/// Case D19: Another build is refused at the handshake, and both sides say so.
#[test]
fn another_build_is_refused_on_both_sides() {
    check(async {
        let mut worker = Worker::start(role("other-build")).await;
        let refused = worker.shake_hands().await;
        assert_is!(refused, Err(HandshakeError::OtherBuild { .. }));
        let text = |theirs, ours| {
            format!(
                "is another build: protocol {PROTOCOL_VERSION} and tasks 0000000000000{theirs}, here \
                 protocol {PROTOCOL_VERSION} and tasks 0000000000000{ours}; build parent and worker from the same source"
            )
        };
        let error = refused.unwrap_err().to_string();
        assert!(error.ends_with(&text("bad", "007")), "{error}");
        let theirs = worker.told().await;
        assert!(theirs.ends_with(&text("007", "bad")), "{theirs}");
        worker.process.wait().await;
    });
}

/// Case D20: The first word is `Hello`; anything else is out of turn.
#[test]
fn a_first_word_other_than_hello_is_out_of_turn() {
    check(async {
        let mut worker = Worker::start(role("out-of-turn")).await;
        let refused = worker.shake_hands().await;
        assert_is!(refused, Err(HandshakeError::OutOfTurn));
        worker.process.kill();
        assert_eq!(worker.process.wait().await.signal, Some(9));
    });
}

/// Case I6: How a process ended is told as it was.
#[test]
fn exits_are_told_as_they_were() {
    check(async {
        for (name, code, signal, text) in [
            ("exit-42", Some(42), None, "exited with code 42"),
            ("abort", None, Some(6), "was killed by signal 6 (SIGABRT)"),
            (
                "segfault",
                None,
                Some(11),
                "was killed by signal 11 (SIGSEGV)",
            ),
        ] {
            let mut worker = Worker::ready(name).await;
            assert_eq!(worker.receive().await, None);
            let exit = worker.process.wait().await;
            assert_eq!((exit.code, exit.signal), (code, signal), "{name}");
            assert!(exit.to_string().starts_with(text), "{exit}");
        }
        let mut worker = Worker::ready("echo").await;
        signal(worker.process.id(), Signal::KILL);
        assert_eq!(worker.receive().await, None);
        let exit = worker.process.wait().await;
        assert_eq!(exit.to_string(), "was killed by signal 9 (SIGKILL)");
    });
}

#[test]
fn a_worker_that_ends_in_good_order_is_not_killed_for_it() {
    check(async {
        let mut worker = Worker::ready("says-bye").await;
        worker.sender.close();
        assert_eq!(worker.receive().await, Some(FromWorker::Bye));
        assert_eq!(worker.receive().await, None);
        let exit = worker.process.wait().await;
        assert_eq!((exit.code, exit.signal), (Some(7), None));
    });
}

/// Case D9: What a worker has started and finished can be read when it is dead.
#[test]
fn progress_outlives_the_worker() {
    check(async {
        let mut worker = Worker::ready("count").await;
        assert_eq!(worker.told().await, "counted");
        signal(worker.process.id(), Signal::KILL);
        worker.process.wait().await;
        let progress = worker.progress;
        let counts = (progress.started(), progress.finished(), progress.turns());
        assert_eq!(counts, (11, 10, 5));
    });
}

/// Case D13: A worker's connection is its own: programs that it starts have neither that nor the shared memory.
#[test]
fn the_connection_is_the_worker_s_alone() {
    check(async {
        let mut worker = Worker::ready("descriptors").await;
        assert_eq!(worker.told().await, "/dev/null");
        let listing = worker.told().await;
        assert!(listing.contains("-> /dev/null"), "{listing}");
        assert!(!listing.contains("socket:"), "inherited:\n{listing}");
        assert!(!listing.contains("mt-progress"), "inherited:\n{listing}");
    });
}

#[test]
fn garbage_on_standard_output_is_harmless() {
    check(async {
        let mut worker = Worker::ready("chatter").await;
        worker.send(ToWorker::Beat(Beat::Alive));
        let echo = worker.receiver.recv().await.unwrap();
        assert_eq!(echo, Some(ToWorker::Beat(Beat::Alive).into_frame()));
    });
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    check(async {
        let mut command = role("echo");
        command.program = Program::File("/nowhere/at/all".into());
        let error = spawn(command).await.unwrap_err();
        assert_is!(error, SpawnError::Program { .. });
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    });
}

/// The input is a terminal, a file, or a socket on which nothing comes: no hang, no worker.
///
/// Case I7: A program that was started by hand as a worker says so and neither hangs nor works.
#[test]
fn a_worker_started_by_hand_says_so() {
    let (_ours, socket) = std::os::unix::net::UnixStream::pair().unwrap();
    let stdin: [std::process::Stdio; 2] = [
        std::process::Stdio::null(),
        std::os::fd::OwnedFd::from(socket).into(),
    ];
    for stdin in stdin {
        let mut by_hand = Command::new(std::env::current_exe().unwrap());
        by_hand.arg0("mt-worker").stdin(stdin);
        by_hand.args(["roles::as_worker", "--exact", "--nocapture", "echo"]);
        let output = by_hand.output().unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("NoConnection"));
    }
}

#[test]
fn a_runtime_without_io_does_not_spoil_it_for_others() {
    check_alone(async {
        let without = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.unwrap().block_on(spawn(role("echo"))).map(drop)
        });
        assert!(without.join().unwrap().is_err());
        Worker::ready("echo").await;
    });
}

#[test]
fn a_program_deleted_while_it_runs_still_starts_workers() {
    let name = "lifecycle::a_program_deleted_while_it_runs_still_starts_workers";
    let own = std::env::current_exe().unwrap();
    if own.file_name().is_none_or(|name| name != "copy") {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("copy");
        // By another program: a file that this one had open for writing can be held open by a fork of
        // another test, and is then too busy to be run.
        let copied = Command::new("cp").args([&own, &copy]).status().unwrap();
        assert!(copied.success());
        let output = Command::new(copy).args([name, "--exact"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("1 passed"), "{text}");
        return;
    }
    check(async {
        Worker::ready("echo").await;
        fs::remove_file(&own).unwrap();
        Worker::ready("echo").await;
        // Replaced by something else: still this program.
        fs::write(&own, "#!/bin/false\n").unwrap();
        let mut worker = Worker::ready("exit-42").await;
        assert_eq!(worker.process.wait().await.code, Some(42));
    });
}

#[test]
fn a_worker_outlives_the_thread_that_asked_for_it() {
    check(async {
        let handle = tokio::runtime::Handle::current();
        let thread = std::thread::spawn(move || {
            let _entered = handle.enter();
            futures::executor::block_on(spawn(role("echo"))).unwrap()
        });
        while !thread.is_finished() {
            tokio::task::yield_now().await;
        }
        let mut worker = Worker::open(thread.join().unwrap());
        worker.shake_hands().await.unwrap();
        worker.sender.close();
        assert_eq!(worker.receive().await, None);
        assert_eq!(worker.process.wait().await.code, Some(0));
        worker.writer.await.unwrap().unwrap();
    });
}

//! How workers end, and what is told of it.

use crate::scene::{Worker, check};

/// Case I27: On every system an exit is told with its code, and a crash by the name that the system has for it.
#[test]
fn ends_are_told_as_they_were() {
    let crashes = match cfg!(windows) {
        true => [
            "ended with status 0xC0000409 (abort, or a stack that was overrun)",
            "ended with status 0xC0000005 (access violation)",
            "ended with status 0xC00000FD (stack overflow)",
        ],
        false => [
            "was killed by signal 6 (SIGABRT)",
            "was killed by signal 11 (SIGSEGV)",
            // The standard library says what it was, and aborts.
            "was killed by signal 6 (SIGABRT)",
        ],
    };
    check(async {
        let roles = [("exit", "42"), ("exit", "3")].into_iter();
        let exits = roles.zip(["exited with code 42", "exited with code 3"]);
        let crashes = [("abort", ""), ("segfault", ""), ("stack", "")]
            .into_iter()
            .zip(crashes);
        for ((role, word), text) in exits.chain(crashes) {
            let mut worker = Worker::ready(role, word).await;
            assert_eq!(worker.receiver.recv().await.unwrap(), None, "{role}");
            let exit = worker.process.wait().await.to_string();
            let exit = exit.strip_suffix(", core dumped").unwrap_or(&exit);
            assert_eq!(exit, text, "{role}");
        }
    });
}

/// Case I28: On every system what a worker had sent before it died arrives, and what it had counted can be read.
#[test]
fn what_was_sent_outlives_its_sender() {
    check(async {
        let mut worker = Worker::ready("talks-and-dies", "").await;
        worker.process.wait().await;
        let mut told = 0;
        while let Some(frame) = worker.receiver.recv_left().await.unwrap() {
            assert_eq!(frame.into_body(), told.to_string());
            told += 1;
        }
        assert_eq!(told, 200);
        assert_eq!(worker.progress.started(), 11);
    });
}

/// Case I29: On every system a worker that is killed ends, and its connection with it.
#[test]
fn a_killed_worker_ends() {
    check(async {
        let mut worker = Worker::ready("echo", "").await;
        assert!(worker.process.kill());
        assert_eq!(worker.receiver.recv().await.unwrap(), None);
        let exit = worker.process.wait().await;
        let killed = [(None, Some(9)), (Some(137), None)];
        assert!(killed.contains(&(exit.code, exit.signal)), "{exit}");
    });
}

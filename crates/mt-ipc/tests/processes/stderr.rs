//! A worker's standard error is read while it lives, and its end is there after its death.

use mt_ipc::{OutputTail, Spawned, WorkerStderr, spawn};

use crate::scene::{check, role};

/// The end of a worker of this role, and of what it wrote.
async fn words_of(name: &str) -> OutputTail {
    let mut command = role(name);
    command.stderr = WorkerStderr::Discard;
    let Spawned {
        mut process,
        stderr,
        // Its hang-up would end the worker before its role does.
        connection: _connection,
        ..
    } = spawn(command).await.unwrap();
    process.wait().await;
    stderr.unwrap().finish().await
}

/// Case I8: The end of what a worker wrote survives it.
#[test]
fn the_last_words_survive() {
    check(async {
        let tail = words_of("mutters").await;
        assert!(tail.bytes().ends_with(b"\xffin the middle of"));
        assert_eq!(tail.cut_bytes(), 0);
        let tail = words_of("shouts").await;
        assert_eq!(tail.bytes(), [b'a'; OutputTail::KEPT_BYTES]);
        assert_eq!(tail.cut_bytes(), 3_000_000 - OutputTail::KEPT_BYTES as u64);
    });
}

/// Whoever does not want to read gets a worker that can't write, and not one that waits for ever.
#[test]
fn a_reader_that_is_dropped() {
    check(async {
        let mut command = role("shouts");
        command.stderr = WorkerStderr::Forward;
        let Spawned {
            mut process,
            stderr,
            connection: _connection,
            ..
        } = spawn(command).await.unwrap();
        drop(stderr);
        let exit = process.wait().await;
        assert!(
            exit.signal.is_some() || exit.code.is_some_and(|code| code != 0),
            "{exit}"
        );
    });
}

/// Case I9: An inherited standard error has nothing to read.
#[test]
fn inherited_means_that_there_is_nothing_to_read() {
    check(async {
        let mut command = role("echo");
        command.stderr = WorkerStderr::Inherit;
        let spawned = spawn(command).await.unwrap();
        assert!(spawned.stderr.is_none());
    });
}

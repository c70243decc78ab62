//! A host that runs in a terminal, and tasks that reach for it.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use mt_pool::WorkerStderr;
use mt_test_kit::{Scene, role, session_of};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::prelude::*;

/// What comes of reading from the terminal: by the call itself, and by a program that it starts.
#[task]
fn reads_the_terminal(_: u64) -> [bool; 2] {
    let read = File::open("/dev/tty").and_then(|mut tty| tty.read(&mut [0; 10]));
    let program = Command::new("sh")
        .args(["-c", "read line </dev/tty"])
        .stderr(Stdio::null())
        .status();
    [read.is_ok(), program.unwrap().success()]
}

#[task]
fn writes_to_the_terminal(_: u64) {
    io::stderr().write_all(b"a word of a task\n").unwrap();
}

#[task]
fn tells_its_session(_: u64) -> (bool, u32) {
    let own = rustix::process::getpid();
    let leads = rustix::process::getpgid(None) == Ok(own);
    (leads, session_of(std::process::id()))
}

/// Case 16: a worker leads a group of its own in its host's session, so that the system shares out processors, and
/// `nice` counts, as for the host.
#[test]
fn a_worker_stays_in_its_hosts_session() {
    let session = session_of(std::process::id());
    let told = values(asyn_pmap::<tells_its_session>([0]));
    assert_eq!(told, [(true, session)]);
}

/// Where a host starts in a terminal. For the test runner this is nothing.
#[test]
fn as_host() {
    match role().as_str() {
        "reads" => {
            assert!(File::open("/dev/tty").is_ok(), "the host has a terminal");
            assert_eq!(values(asyn_pmap::<reads_the_terminal>([0])), [[false; 2]]);
        }
        "writes" => {
            let straight = WorkerOptions::new().stderr(WorkerStderr::Inherit);
            values(asyn_pmap::<writes_to_the_terminal>([0]).workers(straight));
        }
        _ => {}
    }
}

/// Runs a host in a terminal of its own, in which background processes may not write, and returns what was shown.
fn in_a_terminal(role: &str) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let inner = || -> OwnedFd {
        let mut options = File::options();
        let flags = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
        options
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap()
            .into()
    };
    let stty = Command::new("stty").arg("tostop").stdin(inner()).status();
    assert!(stty.unwrap().success());
    let host = Scene::of("platform::linux::terminal::as_host", role);
    let mut host = Scene::through("setsid", &["--ctty", "--wait"], &host);
    let host = Scene::start(host.stdin(inner()).stderr(inner()));
    let status = host.end();
    assert!(status.success(), "{status}");
    // All is written, and there is something to read.
    let mut shown = [0; 4096];
    let _held = inner();
    match role {
        "writes" => {
            let read = File::from(terminal).read(&mut shown).unwrap();
            String::from_utf8_lossy(&shown[..read]).into_owned()
        }
        _ => String::new(),
    }
}

/// Case 16: a task, or its program, that reads from the host's terminal gets an error and stops nobody.
#[test]
fn reading_the_terminal_is_an_error() {
    in_a_terminal("reads");
}

/// Case 16: a task writes to the host's terminal although `stty tostop` stops background processes that do.
#[test]
fn writing_to_the_terminal_stops_nobody() {
    assert!(in_a_terminal("writes").contains("a word of a task"));
}

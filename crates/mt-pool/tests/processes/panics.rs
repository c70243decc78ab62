//! Panics are outcomes, and their worker goes on.

use std::{
    error::Error,
    panic::{catch_unwind, panic_any, resume_unwind, set_hook},
};

use mt_test_kit::{Scene, role};

use crate::prelude::*;

/// Message, place and call stack of a panic in a plain call and in an async one.
fn panicked(deed: &Deed) -> [(String, Option<String>, String); 2] {
    /// One worker that says its pid, does the deed, and says its pid again.
    fn between_pids<T: Task<Input = Deed, Output = u64, Error = Never>>(
        deed: &Deed,
    ) -> (String, Option<String>, String) {
        let run = asyn_pmap::<T>([Deed::Pid, deed.clone(), Deed::Pid]);
        let report = complete(run.processes(1), 3);
        let pid = |index: usize| *report.outcomes[index].as_ref().unwrap();
        assert_eq!(pid(0), pid(2), "the worker lives");
        assert_eq!(report.stats.workers_started, 1);
        match report.kind(1) {
            TaskErrorKind::Panicked {
                message,
                location,
                backtrace,
            } => (message.clone(), location.clone(), backtrace.clone()),
            other => panic!("no panic: {other:?}"),
        }
    }
    [between_pids::<act>(deed), between_pids::<act_async>(deed)]
}

/// Case R34: A panic is an outcome with message, place and call stack, and the worker goes on.
#[test_with(alone)]
fn a_panic_has_message_place_and_call_stack() {
    for (message, location, backtrace) in panicked(&Deed::Panic("no \u{1b}[2J way".into())) {
        assert_eq!(message, "no \u{1b}[2J way");
        assert!(location.unwrap().contains("deed.rs:"));
        let is_wanted = std::env::var_os("RUST_BACKTRACE").is_none_or(|form| form != "0");
        assert_eq!(backtrace.contains("deed.rs"), is_wanted, "{backtrace}");
    }
}

#[test_with(alone)]
fn a_panic_of_a_hundred_megabytes_is_cut() {
    for (message, ..) in panicked(&Deed::PanicLong(100 << 20)) {
        assert!(message.starts_with("éé") && message.len() < 1 << 20);
    }
}

#[test_with(alone)]
fn a_panic_without_a_text() {
    for (message, location, _) in panicked(&Deed::PanicOdd) {
        assert!(!message.is_empty());
        assert!(location.is_some());
    }
}

#[task]
fn hands_on(kind: u64) -> u64 {
    hand_on(kind)
}

fn hand_on(kind: u64) -> u64 {
    let swallow = |text: &str| catch_unwind(|| panic!("{text}{kind}")).unwrap_err();
    match kind {
        0 => drop(swallow("old")),
        1 => resume_unwind(Box::new("new")),
        2 => {
            let elsewhere = thread::spawn(|| panic!("boom")).join();
            resume_unwind(elsewhere.unwrap_err());
        }
        3 => {
            drop(swallow("old"));
            resume_unwind(Box::new(String::from("old3")))
        }
        4 => {
            let own = swallow("own");
            drop(swallow("other"));
            resume_unwind(own)
        }
        // A hook of its own, which calls nobody else's.
        5 => {
            set_hook(Box::new(|_| {}));
            panic!("unseen")
        }
        _ => panic_any(Box::<dyn Error + Send + Sync>::from("an error")),
    }
    kind
}

#[task]
async fn hands_on_async(kind: u64) -> u64 {
    if kind == 2 {
        let elsewhere = tokio::spawn(async { panic!("boom") }).await;
        resume_unwind(elsewhere.unwrap_err().into_panic());
    }
    hand_on(kind)
}

/// Case 6: A panic is told by what arrives, wherever it began and whatever was caught before; its place is its own or none.
#[test_with(alone)]
fn what_arrives_is_what_is_told() {
    fn told<T: Task<Input = u64, Output = u64, Error = Never>>() {
        let report = complete(asyn_pmap::<T>(0..7).processes(1), 7);
        assert_eq!(*report.outcomes[0].as_ref().unwrap(), 0);
        for (index, expected, has_place) in [
            (1, "new", Some(false)),
            (2, "boom", None),
            (3, "old3", None),
            (4, "own4", Some(true)),
            (5, "unseen", Some(false)),
            (6, "an error", Some(false)),
        ] {
            assert_is!(report.kind(index), TaskErrorKind::Panicked { message, location, .. }
                if message == expected && has_place.is_none_or(|has| location.is_some() == has));
        }
        assert_eq!(report.stats.workers_started, 1);
    }
    told::<hands_on>();
    told::<hands_on_async>();
}

/// Case 10: `RUST_BACKTRACE=0` turns call stacks off, and nothing else.
#[test]
fn without_a_call_stack_there_are_message_and_place() {
    let name = "panics::without_a_call_stack_there_are_message_and_place";
    if role() != "without" {
        let without = Scene::of(name, "without")
            .env("RUST_BACKTRACE", "0")
            .output();
        assert!(without.unwrap().status.success());
        return;
    }
    for (message, location, backtrace) in panicked(&Deed::Panic("no way".into())) {
        assert_eq!((message.as_str(), backtrace.as_str()), ("no way", ""));
        assert!(location.unwrap().contains("deed.rs:"));
    }
}

/// A payload that panics when it is dropped, with another of its kind.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic_any(Payload);
    }
}

#[task]
async fn panics_beside(here: bool) {
    match here {
        true => drop(tokio::task::spawn_local(async { panic_any(Payload) })),
        false => drop(tokio::spawn(async { panic_any(Payload) })),
    }
    std::future::pending().await
}

/// Case 2, 7: A task that an item's call has spawned, and that panics with what panics when it is dropped, costs the worker,
/// and the reason says so.
#[test_with(alone)]
fn a_panic_beside_a_call_that_no_runtime_survives() {
    let run = asyn_pmap::<panics_beside>([true, false]);
    let report = complete(run.processes(1).crash_limit(1), 2);
    for index in [0, 1] {
        let why = report.kind(index).to_string();
        let told = "a task that was spawned here has panicked";
        assert!(why.contains("code 101") && why.contains(told), "{why}");
    }
}

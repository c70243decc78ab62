//! Panics are outcomes, and their worker goes on.

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

#[test_with(alone)]
fn a_panic_has_message_place_and_call_stack() {
    for (message, location, backtrace) in panicked(&Deed::Panic("no \u{1b}[2J way".into())) {
        assert_eq!(message, "no \u{1b}[2J way");
        assert!(location.unwrap().contains("deed.rs:"));
        assert!(backtrace.contains("deed.rs"), "{backtrace}");
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

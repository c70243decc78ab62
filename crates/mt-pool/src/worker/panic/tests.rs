//! What is told of a panic, by what user code does with it before it arrives.

use std::panic::{panic_any, resume_unwind};

use super::*;

/// What is told of a panic in `code`, and whether with a place and a stack.
fn check(code: impl FnOnce(), message: &str, has_place: bool) {
    let panic = caught(code).expect_err("it panics");
    assert!(panic.message().starts_with(message), "{panic}");
    assert_eq!(panic.0.location.is_some(), has_place, "{panic}");
    let wanted = std::env::var_os("RUST_BACKTRACE").is_none_or(|form| form != "0");
    assert_eq!(panic.0.stack.is_some(), has_place && wanted, "{panic}");
}

fn swallow(code: impl FnOnce()) {
    let swallowed = catch_unwind(AssertUnwindSafe(code));
    discard(swallowed.expect_err("it panics"));
}

/// Panics in its drop, and lets nobody know.
struct Quiet;

impl Drop for Quiet {
    fn drop(&mut self) {
        swallow(|| panic!("quiet"));
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

fn formatted(text: &str) {
    panic!("{text}{}", 1);
}

/// Case 6: What is told of a panic is what the payload that arrives says; a place and a call stack come with it only
/// if they are that very panic's.
#[test]
fn what_arrives_is_what_is_told() {
    install_hook();
    check(|| panic!("boom"), "boom", true);
    check(|| formatted("boom"), "boom1", true);
    check(|| panic_any(String::from("boom")), "boom", true);
    check(|| panic_any(17), "a panic without a message", true);
    check(|| resume_unwind(Box::new("boom")), "boom", false);
    check(|| resume_unwind(Box::new(17)), "a panic without", false);
    // The panic of another thread, as a parallel iterator hands it on.
    let elsewhere = || {
        let joined = std::thread::spawn(|| formatted("boom")).join();
        resume_unwind(joined.expect_err("it panics"));
    };
    check(elsewhere, "boom1", false);
    // One that was caught and one that arrives: after each other, and in two calls.
    let another = || {
        swallow(|| formatted("old"));
        resume_unwind(Box::new("new".to_owned()));
    };
    check(another, "new", false);
    assert!(caught(|| swallow(|| panic!("same"))).is_ok());
    check(|| resume_unwind(Box::new("same")), "same", false);
    // The same one, handed on.
    let handed_on = || {
        let caught = catch_unwind(|| formatted("old"));
        swallow(|| formatted("new"));
        resume_unwind(caught.expect_err("it panics"));
    };
    check(handed_on, "old1", true);
    // Inside each other.
    let inside = || {
        let _quiet = Quiet;
        formatted("outer");
    };
    check(inside, "outer1", true);
    check(|| drop(Bomb), "dropped", true);
    check(|| panic_any(Bomb), "a panic without a message", true);
    assert!(caught(|| ()).is_ok());
}

/// Case 10: A panic that user code catches costs no look into the debug information of the program.
#[test]
fn a_stack_has_no_names_before_it_is_an_outcome() {
    install_hook();
    let panic = caught(|| panic!("boom")).expect_err("it panics");
    let unresolved = format!("{:?}", panic.0.stack);
    assert!(!unresolved.contains("boom") && panic.to_string().contains("tests.rs"));
    if panic.0.stack.is_none() {
        return;
    }
    match Failure::from(panic) {
        Failure::Panicked { backtrace, .. } => assert!(backtrace.contains("tests.rs")),
        other => panic!("{other:?}"),
    }
}

//! The part of a call stack that is the user's: without what reports the panic above it, and without what runs
//! a worker below it.
//!
//! Pure: no IO, no clock, no runtime.

/// Where the standard library's own short form begins, from the panic on.
const REPORTS: &str = "__rust_end_short_backtrace";
/// What stands between that and the line that panics.
const PANICS: [&str; 3] = ["rust_begin_unwind", "core::panicking::", "std::panicking::"];
/// What runs user code.
const RUNS: [&str; 2] = ["worker::panic::caught", "__rust_begin_short_backtrace"];
/// How it does.
const CATCHES: [&str; 4] = [
    "catch_unwind",
    "std::panicking::",
    "__rust_try",
    "AssertUnwindSafe",
];

/// Cuts a call stack, as [`Backtrace`](std::backtrace::Backtrace) writes it, and counts its frames anew. One that
/// has no such part stays as it is.
pub(super) fn of_user(stack: &str) -> String {
    let frames = frames(stack);
    let is = |frame: &str, names: &[&str]| names.iter().any(|name| frame.contains(name));
    let reports = frames.iter().rposition(|frame| frame.contains(REPORTS));
    let below = &frames[reports.map_or(0, |at| at + 1)..];
    let panics = below.iter().take_while(|frame| is(frame, &PANICS)).count();
    let users = &below[panics..];
    let runs = users.iter().position(|frame| is(frame, &RUNS));
    let users = &users[..runs.unwrap_or(users.len())];
    let last = users.iter().rposition(|frame| !is(frame, &CATCHES));
    let users = &users[..last.map_or(0, |last| last + 1)];
    if users.is_empty() {
        return stack.to_owned();
    }
    let kept = users.iter().enumerate();
    let kept = kept.map(|(number, frame)| match frame.split_once(": ") {
        Some((_, frame)) => format!("{number:>4}: {frame}"),
        None => frame.clone(),
    });
    kept.collect()
}

/// The frames with their places, lines ends included.
fn frames(stack: &str) -> Vec<String> {
    let mut frames: Vec<String> = Vec::new();
    for line in stack.split_inclusive('\n') {
        let number = line.trim_start().split_once(": ");
        let begins = number.is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        match frames.last_mut() {
            Some(frame) if !begins => frame.push_str(line),
            _ => frames.push(line.to_owned()),
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::of_user;

    const WHOLE: &str = "   0: mt_pool::worker::panic::report
             at ./panic.rs:1:1
   1: std::sys::backtrace::__rust_end_short_backtrace::<x>
   2: __rustc::rust_begin_unwind
   3: core::panicking::panic_fmt
   4: user::divide
             at ./src/lib.rs:72:9
   5: user::task::{{closure}}
   6: <core::panic::unwind_safe::AssertUnwindSafe<F> as core::ops::function::FnOnce<()>>::call_once
   7: std::panicking::catch_unwind::do_call
   8: __rust_try
   9: std::panic::catch_unwind
  10: mt_pool::worker::panic::caught
             at ./panic.rs:86:5
  11: std::sys::backtrace::__rust_begin_short_backtrace
";

    #[test]
    fn what_reports_and_what_runs_is_cut() {
        let kept = "   0: user::divide
             at ./src/lib.rs:72:9
   1: user::task::{{closure}}
";
        assert_eq!(of_user(WHOLE), kept);
    }

    #[test]
    fn nothing_is_cut_that_is_not_known() {
        for stack in ["", "disabled backtrace", "   0: user::divide\n"] {
            assert_eq!(of_user(stack), stack);
        }
        let runs = "   0: mt_pool::worker::panic::caught\n";
        assert_eq!(of_user(runs), runs, "it would be empty");
    }
}

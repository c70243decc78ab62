//! Tests that have a process to themselves, so that what they leave behind can be counted.

use std::{env, process::Command};

use crate::{platform, watchdog};

/// The variable that tells a test that it has its process to itself: its value is the test's name.
pub const ALONE: &str = "MT_TEST_ALONE";

/// Runs a test in a process of its own, under a watchdog.
pub fn alone(name: &str, test: impl FnOnce()) {
    let _watchdog = watchdog(name);
    if is_alone(name) {
        test();
    }
}

/// Whether this process is the test's own. If not, the test is run in one, and has passed there.
pub fn is_alone(name: &str) -> bool {
    if env::var_os(ALONE).is_some_and(|alone| alone == name) {
        platform::await_console();
        return true;
    }
    let output = itself(name).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    assert!(out.contains("1 passed"), "{name} was not found:\n{out}");
    false
}

/// The command that starts this program again, to run the test `name` alone.
pub fn itself(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ALONE, name);
    platform::own_console(&mut command);
    command
}

/// The name that the test runner knows the test by whose closure this is the type of.
pub fn name_of<F>() -> &'static str {
    let path = std::any::type_name::<F>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    path.split_once("::{{closure}}")
        .map_or(path, |(name, _)| name)
}

//! What tests of several crates need, and nothing of any of them: a process for a test alone, the scenes that
//! other processes play for it, looks at processes, waiting with an end, a folder, chance
//! that can be had again, and a fuzzer.
//!
//! Our other crates have it as a dev-dependency only. What stands here panics when something is not as a test
//! needs it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod alarm;
mod alone;
mod dice;
#[cfg(unix)]
mod example;
mod folder;
mod fuzz;
#[cfg(target_os = "linux")]
#[path = "platform/raw.rs"]
mod platform;
#[cfg(unix)]
mod process;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod scarcity;
#[cfg(target_os = "linux")]
mod scene;
mod values;

pub use alarm::{Alarm, wait_until, watchdog};
pub use alone::{ALONE, alone, is_alone, itself, name_of};
pub use dice::Dice;
#[cfg(unix)]
pub use example::{Running, example};
pub use folder::{Folder, TempFolder};
pub use fuzz::{Trail, fuzz};
pub use mt_test_kit_macros::test_with;
#[cfg(target_os = "linux")]
pub use platform::{become_user, end_thread, fork, fork_that_stays, shut_sockets};
#[cfg(target_os = "linux")]
pub use process::wait_until_gone;
#[cfg(unix)]
pub use process::{
    Signal, assert_no_children, blob_descriptors, children, children_of, descendants_of,
    descriptors, is_gone, own_bytes, session_of, signal, state_of, threads_named,
};
#[cfg(target_os = "linux")]
pub use program::{core_dumps, dumps_whole_core, worker_after};
#[cfg(target_os = "linux")]
pub use scarcity::{
    NOBODY, alone_and_bound, is_root, with_at_most, with_little_memory, without_threads,
};
#[cfg(target_os = "linux")]
pub use scene::{Scene, role};
pub use values::{Deep, LEFT_OUT, Skipping, WHOLE};

/// Fails, and shows the value, unless it is like the pattern.
#[macro_export]
macro_rules! assert_is {
    ($value:expr, $($pattern:tt)+) => {
        match &$value {
            $($pattern)+ => {}
            other => panic!("{other:?} is no {}", stringify!($($pattern)+)),
        }
    };
}

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
mod example;
mod folder;
mod fuzz;
mod platform;
mod process;
mod scene;
mod skip;
mod values;

pub use alarm::{Alarm, wait_until, watchdog};
pub use alone::{ALONE, alone, is_alone, itself, name_of};
pub use dice::Dice;
pub use example::{Running, example};
pub use folder::{Folder, TempFolder};
pub use fuzz::{Trail, fuzz};
pub use mt_test_kit_macros::{skipped_tests, test_with};
pub use platform::*;
pub use process::{assert_no_children, children, descendants_of};
pub use scene::{Scene, role};
pub use skip::{is_skipped, skipped};
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

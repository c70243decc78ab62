//! Runs over real worker processes that misbehave in every way we know of.
//!
//! Each test has a process of its own (see [`scene`]), so that what it leaves behind can be counted.

mod context;
mod death;
mod deed;
mod descendants;
mod frozen;
mod inits;
mod input;
mod limits;
mod output;
mod panics;
mod platform;
mod recycling;
mod report;
mod scene;
mod submitting;

mt_pool::test_worker!();

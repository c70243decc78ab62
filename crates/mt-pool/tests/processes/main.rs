//! Runs over real worker processes that misbehave in every way we know of.
//!
//! Each test has a process of its own (see [`scene`]), so that what it leaves behind can be counted.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod aging;
mod blobs;
mod burst_calls;
mod bursting;
mod calls;
mod census;
mod context;
mod cores;
mod counting;
mod crossing;
mod deadlines;
mod death;
mod deed;
mod descendants;
mod endurance;
mod frozen;
mod gauges;
mod handle;
mod hooks;
mod host;
mod hostile;
mod inherited;
mod inits;
mod input;
mod iterator;
mod limits;
mod measured;
mod memory;
mod nesting;
mod no_threads;
mod oom;
mod options;
mod output;
mod panics;
mod paralleliser;
mod parent;
mod platform;
mod pools;
mod prelude;
mod prepared;
mod random_numbers;
mod recycling;
mod report;
mod retries;
mod scene;
mod scoped;
mod seeing;
mod serial;
mod service;
mod shared;
mod shutdown;
mod slots;
mod stack;
mod startup;
mod starved;
mod stderr;
mod stdout;
mod stopped;
mod storms;
mod submitting;
mod surroundings;
mod taking_turns;
mod tasks;
mod terminal;
mod threads;
mod touchy;
mod tracing;
mod user_code;
mod users;
mod works;
mod wrapped;

mt_pool::test_worker!();

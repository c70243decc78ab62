//! Tests of what only Linux has, or what only Linux can be short of.

mod blobs;
mod captured;
mod cores;
mod death;
mod descendants;
mod host;
mod inherited;
mod measured;
mod no_threads;
mod oom;
mod parent;
mod startup;
mod terminal;
mod users;
mod wrapped;

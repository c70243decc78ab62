//! The dispatch machine against a table of small stories, and against model workers in random runs.

mod calls;
mod fuzz;
mod hold;
mod limits;
mod memory;
mod model;
mod pace;
mod payload;
mod random;
mod recycle;
mod share;
mod stories;
mod worker;

//! A queen bee with the model and the data, worker bees in processes of their own, and a protocol between
//! them that loses no task.
//!
//! In work: the protocol's two machines are here and hold what they promise in random runs; the bees
//! themselves, and the processes they live in, are not yet.

#[expect(dead_code, reason = "the bees that use it are not here yet")]
mod hive;

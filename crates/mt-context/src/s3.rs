//! S3: which server, with whose credentials, and how requests get there.

mod client;
mod config;
mod failure;
mod ini;
mod profile;
mod wire;

pub(crate) use client::S3;
pub use config::{S3Config, S3Credentials};
pub(crate) use failure::{Failure, told};
pub use profile::ProfileError;

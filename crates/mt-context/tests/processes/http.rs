//! The HTTP session, against servers that do what servers do.

mod bodies;
mod downloads;
mod hosts;
mod killed;
mod redirects;
mod resumed;
mod retried;
mod secrets;
mod server;
mod sessions;

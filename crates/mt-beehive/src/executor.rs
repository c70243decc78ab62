//! A worker bee in her process: one thread talks to her parent, the other does her tasks.

mod messages;
mod order_queue;
mod panic_queue;
mod progress_buffer;
mod registration;
mod role;
mod run_bee;
mod session;

pub(crate) use progress_buffer::ProgressBuffer;
pub use registration::Registration;

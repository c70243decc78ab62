//! What a misbehaving task does and safe Rust can't.

mod raw;

#[cfg(target_os = "linux")]
pub(crate) use raw::end_thread;
pub(crate) use raw::{
    become_user, close_everything, fork, fork_that_stays, free_twice, linger_at_exit, segfault,
    set_variable, shut_sockets, sum_of_pages, write_to_sockets,
};

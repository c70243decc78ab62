//! What a misbehaving task does and safe Rust can't.

mod raw;

pub(crate) use mt_test_kit::{become_user, end_thread, fork, fork_that_stays, shut_sockets};
pub(crate) use raw::{
    close_everything, free_twice, linger_at_exit, print_by_c, segfault, set_variable, sum_of_pages,
    write_to_sockets,
};

//! What a misbehaving task does and safe Rust can't.

mod raw;

pub(crate) use raw::{
    become_user, close_everything, fork_that_stays, free_twice, segfault, set_variable,
    sum_of_pages, write_to_sockets,
};

//! A parameter that can't be sent is one error, at its type.

struct Handle(u32);

#[mt_pool::task]
fn number(handle: Handle) -> u32 {
    handle.0
}

fn main() {}

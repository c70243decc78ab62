//! Of several parameters the one that can't be sent is marked.

struct Handle(u32);

#[mt_pool::task]
fn number(factor: u32, handle: Handle) -> u32 {
    handle.0 * factor
}

fn main() {}

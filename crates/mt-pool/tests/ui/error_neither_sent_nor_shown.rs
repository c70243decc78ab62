//! An error that can't cross as it is, and has no text either.

struct Broken(*const u8);

#[mt_pool::task]
fn halve(_: u32) -> Result<u32, Broken> {
    Err(Broken(std::ptr::null()))
}

type Alias = Result<u32, Broken>;

#[mt_pool::task]
async fn halve_later(n: u32) -> Alias {
    halve(n)
}

fn main() {}

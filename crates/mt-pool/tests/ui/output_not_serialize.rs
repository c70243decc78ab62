//! A result that can't be sent is one error, at its type.

struct Handle(u32);

#[mt_pool::task]
async fn open(number: u32) -> Result<Handle, String> {
    Ok(Handle(number))
}

fn main() {}

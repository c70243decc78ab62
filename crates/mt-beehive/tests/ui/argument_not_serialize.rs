//! What can't cross is one error each, at its type.

struct Handle(u32);

#[derive(Default)]
struct Opens;

#[mt_beehive::worker]
impl Opens {
    #[task]
    async fn open(&self, path: String, handle: Handle) -> u32 {
        drop(path);
        handle.0
    }

    #[task]
    async fn reopen(&self) -> Handle {
        Handle(1)
    }
}

fn main() {}

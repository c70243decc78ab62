//! A task borrows its bee, and many tasks do.

struct Counts;

#[mt_beehive::worker]
impl Counts {
    fn new() -> Self {
        Self
    }

    #[task]
    async fn free(x: u32) -> u32 {
        x
    }

    #[task]
    async fn exclusive(&mut self, x: u32) -> u32 {
        x
    }
}

fn main() {}

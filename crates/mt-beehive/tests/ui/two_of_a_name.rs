//! Tasks are called by their names.

#[derive(Default)]
struct Twice;

#[mt_beehive::worker]
impl Twice {
    #[task]
    async fn again(&self) {}

    #[task]
    async fn again(&self) {}
}

fn main() {}

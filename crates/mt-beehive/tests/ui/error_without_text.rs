//! An error crosses as its text.

struct Silent;

#[derive(Default)]
struct Fails;

#[mt_beehive::worker]
impl Fails {
    #[task]
    async fn fail(&self) -> Result<(), Silent> {
        Err(Silent)
    }
}

fn main() {}

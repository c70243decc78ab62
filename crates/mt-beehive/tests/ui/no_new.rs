//! A bee must be made somehow.

struct Needs(u32);

#[mt_beehive::worker]
impl Needs {
    #[task]
    async fn need(&self) -> u32 {
        self.0
    }
}

fn main() {}

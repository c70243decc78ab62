//! What is delegated can't be borrowed from whoever delegates.

#[derive(Default)]
struct Reads;

#[mt_beehive::worker]
impl Reads {
    #[task]
    async fn length(&self, text: &str) -> usize {
        text.len()
    }
}

fn main() {}

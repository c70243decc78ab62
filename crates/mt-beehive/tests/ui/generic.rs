//! A bee is found by her name.

struct Keeps<T>(T);

#[mt_beehive::worker]
impl<T> Keeps<T> {
    #[task]
    async fn keep(&self) {}
}

fn main() {}

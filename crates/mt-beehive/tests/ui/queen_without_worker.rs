//! A queen says whom she delegates to, and it must be a worker bee.

#[derive(Default)]
struct Nobody;

#[derive(Default)]
struct Lonely;

#[mt_beehive::queen]
impl Lonely {
    #[task]
    async fn reign(&self) {}
}

#[derive(Default)]
struct Mistaken;

#[mt_beehive::queen(worker = Nobody)]
impl Mistaken {
    #[task]
    async fn reign(&self) {}
}

fn main() {}

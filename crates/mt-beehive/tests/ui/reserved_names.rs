//! Some names are a hive's own.

#[derive(Default)]
struct Busy;

#[mt_beehive::worker]
impl Busy {
    #[task]
    async fn busy_status(&self) -> f64 {
        0.5
    }

    #[task]
    async fn delegate(&self) {}
}

fn main() {}

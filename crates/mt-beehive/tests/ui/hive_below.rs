//! A bee that takes a hive and has none, and one whose hive nothing is said about.
use mt_beehive::{BeehiveRun, Hive, hive_of};

#[derive(Default)]
struct Leaf;

#[mt_beehive::worker]
impl Leaf {
    #[task]
    async fn go(&self, _hive: &Hive<Leaf>) {}
}

struct Sized(usize);

#[mt_beehive::worker]
impl Sized {
    fn new(size: usize) -> Self {
        Self(size)
    }

    #[task]
    async fn size(&self) -> usize {
        self.0
    }
}

#[derive(Default)]
struct Silent;

#[mt_beehive::worker(worker = Sized)]
impl Silent {
    #[task]
    async fn go(&self, _hive: &Hive<Sized>) {}
}

#[derive(Default)]
struct Other;

#[mt_beehive::worker(worker = Sized)]
impl Other {
    fn hive(&self) -> BeehiveRun<Silent> {
        hive_of::<Silent>(())
    }

    #[task]
    async fn go(&self, _hive: &Hive<Sized>) {}
}

fn main() {}

//! How long tasks that are cancelled and bees that are told to die may take.

use std::time::Duration;

use crate::scene::check_async;
use mt_beehive::{BeehiveRun, Hive, Population, TaskResult, hive_of};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(20);

/// A bee that takes her time to go, and then leaves a file.
struct Slow {
    to_go: Duration,
    file: String,
}

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(self.to_go); // work: what she closes
        std::fs::write(&self.file, "gone in peace").unwrap();
    }
}

#[mt_beehive::worker]
impl Slow {
    fn new(to_go: Duration, file: String) -> Self {
        Self { to_go, file }
    }

    #[task]
    fn work(&self, time: Duration) -> u32 {
        std::thread::sleep(time); // work: on her thread
        std::process::id()
    }

    #[task]
    async fn wait(&self) {
        std::future::pending().await
    }
}

fn hive(to_go: Duration, file: &str) -> BeehiveRun<Slow> {
    hive_of::<Slow>((to_go, file.to_owned())).population(Population::Fixed(1))
}

/// A file that nobody else uses, gone at the end.
struct File(String);

impl File {
    fn new(name: &str) -> Self {
        let name = format!("mt-graces-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        Self(path.to_str().unwrap().to_owned())
    }

    fn is_there(&self) -> bool {
        std::path::Path::new(&self.0).exists()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn who(hive: &Hive<Slow>) -> u32 {
    let (pid, _) = hive.work(Duration::ZERO).await;
    pid.ok().unwrap()
}

async fn overrun(hive: &Hive<Slow>, time: Duration) {
    let (result, _) = hive.work(time).deadline(SHORT).await;
    // Whether its end or the deadline comes first, it has one end.
    assert!(!matches!(result, TaskResult::Raised(_)), "{result:?}");
}

#[test]
fn a_long_cancel_grace_spares_a_bee_that_blocks() {
    check_async(|| async {
        let file = File::new("spared");
        let run = hive(Duration::ZERO, &file.0)
            .cancel_grace(LONG)
            .exit_grace(LONG);
        let run = run.run(async |hive| {
            let before = who(&hive).await;
            overrun(&hive, 10 * SHORT).await;
            assert_eq!(who(&hive).await, before);
        });
        run.await.unwrap();
        assert!(file.is_there(), "she went in peace");
    });
}

#[test]
fn without_a_cancel_grace_every_cancelling_kills() {
    check_async(|| async {
        let file = File::new("killed");
        let run = hive(Duration::ZERO, &file.0).cancel_grace(Duration::ZERO);
        let run = run.run(async |hive| {
            let before = who(&hive).await;
            let (result, _) = hive.wait().deadline(SHORT).await;
            assert!(matches!(result, TaskResult::Cancelled { .. }), "{result:?}");
            assert_ne!(who(&hive).await, before);
        });
        run.await.unwrap();
    });
}

#[test]
fn a_long_exit_grace_lets_a_bee_close_what_she_has_open() {
    check_async(|| async {
        let file = File::new("closed");
        let run = hive(10 * SHORT, &file.0).exit_grace(LONG);
        run.run(async |hive| who(&hive).await).await.unwrap();
        assert!(file.is_there());
    });
}

#[test]
fn a_short_exit_grace_makes_an_end_of_one_that_does_not_go() {
    check_async(|| async {
        let file = File::new("cut");
        let run = hive(LONG, &file.0).exit_grace(SHORT);
        run.run(async |hive| who(&hive).await).await.unwrap();
        assert!(!file.is_there());
    });
}

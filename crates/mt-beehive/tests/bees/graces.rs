//! How long tasks that are cancelled and bees that are told to die may take.

use std::time::Duration;

use mt_beehive::{DelegateError, Hive, hive_of, limits::Deadlines};

use crate::scene::{Folder, Live as _, check};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(20);

/// A bee that takes its time to go, and then leaves a file.
struct Slow {
    to_go: Duration,
    folder: Folder,
}

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(self.to_go); // work: what it closes
        self.folder.first("gone in peace");
    }
}

#[mt_beehive::worker]
impl Slow {
    fn new(to_go: Duration, folder: Folder) -> Self {
        Self { to_go, folder }
    }

    #[task]
    fn work(&self, time: Duration) -> u32 {
        std::thread::sleep(time); // work: on the bee's thread
        std::process::id()
    }

    #[task]
    async fn wait(&self) {
        std::future::pending().await
    }
}

/// Whether a bee that takes so much time to go, after this, does so in peace.
async fn goes_in_peace(
    to_go: Duration,
    deadlines: Deadlines,
    story: impl AsyncFnOnce(Hive<Slow>),
) -> bool {
    let folder = Folder::temp();
    let hive = hive_of::<Slow>((to_go, folder.clone())).processes(1);
    hive.deadlines(deadlines).live(story).await.unwrap();
    folder.exists("gone in peace")
}

async fn work(hive: Hive<Slow>) {
    hive.work(Duration::ZERO).await.unwrap();
}

async fn who(hive: &Hive<Slow>) -> u32 {
    hive.work(Duration::ZERO).await.unwrap()
}

#[test]
fn a_long_cancel_grace_spares_a_bee_that_blocks() {
    check(async || {
        let peace = goes_in_peace(
            Duration::ZERO,
            Deadlines::new().cancel_grace(LONG).exit_grace(LONG),
            async |hive| {
                let before = who(&hive).await;
                let overruns = hive.work(10 * SHORT).deadline(SHORT).await;
                // Whether its end or the deadline comes first, it has one end.
                assert!(matches!(overruns, Ok(_) | Err(DelegateError::Cancelled(_))));
                assert_eq!(who(&hive).await, before);
            },
        );
        assert!(peace.await);
    });
}

#[test]
fn without_a_cancel_grace_every_cancelling_kills() {
    check(async || {
        let peace = goes_in_peace(
            Duration::ZERO,
            Deadlines::new().cancel_grace(Duration::ZERO),
            async |hive| {
                let before = who(&hive).await;
                let result = hive.wait().deadline(SHORT).await;
                assert!(matches!(result, Err(DelegateError::Cancelled(_))));
                assert_ne!(who(&hive).await, before);
            },
        );
        let _ = peace.await;
    });
}

#[test]
fn a_long_exit_grace_lets_a_bee_close_what_she_has_open() {
    check(async || {
        let peace = goes_in_peace(10 * SHORT, Deadlines::new().exit_grace(LONG), work);
        assert!(peace.await);
    });
}

#[test]
fn a_short_exit_grace_makes_an_end_of_one_that_does_not_go() {
    check(async || {
        let peace = goes_in_peace(LONG, Deadlines::new().exit_grace(SHORT), work);
        assert!(!peace.await);
    });
}

//! Queens that fail, panic or are cancelled: their bees are gone when it is told.

use std::{panic::AssertUnwindSafe, path::PathBuf, time::Duration};

use mt_beehive::{BeehiveError, BeehiveRun, Hive, Population, TaskError, WithQueen, beehive_run};

use crate::{
    bees::{Birth, Deed, Doer, DoerTasks, noted},
    scene::{block_on, check, children, until, wait_until},
};

/// Longer than a bee takes on any machine.
const LONG: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Ruler;

#[mt_beehive::queen(worker = Doer)]
impl Ruler {
    #[task]
    async fn fail(&self, hive: &Hive<Doer>) -> Result<(), TaskError> {
        Err(hive
            .act(Deed::Panic("in the bee".into()))
            .await
            .0
            .ok()
            .unwrap_err())
    }

    #[task]
    async fn panic(&self, hive: &Hive<Doer>) {
        let pid = hive.pid().await.0.ok().unwrap();
        panic!("the queen of {pid}");
    }

    #[task]
    async fn wait(&self, hive: &Hive<Doer>, begun: PathBuf, dropped: PathBuf) {
        let _ = hive.wait(begun, dropped).await;
    }

    #[task]
    async fn block(&self, hive: &Hive<Doer>, begun: PathBuf, never: PathBuf) {
        let _ = hive.block_until(begun, never).await;
    }
}

fn court() -> BeehiveRun<Doer, WithQueen<Ruler>> {
    beehive_run::<Ruler>((), Birth::Well).population(Population::Fixed(2))
}

#[test]
fn a_queen_that_fails_leaves_nothing() {
    check(|| {
        let failed = block_on(court().run_task::<()>("fail", ())).unwrap_err();
        let said = "raised: panicked: in the bee (at ";
        assert!(failed.to_string().starts_with(said), "{failed}");
        assert_eq!(children(), [0_u32; 0]);
    });
}

#[test]
fn a_queen_that_panics_leaves_nothing() {
    check(|| {
        let run = court().run_task::<()>("panic", ());
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| block_on(run)));
        let panic = ended.unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.starts_with("the queen of "), "{text}");
        wait_until(|| children().is_empty());
    });
}

/// What she has delegated ends with her task, in the bee too.
#[test]
fn a_queen_that_is_cancelled_leaves_nothing() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let begun = folder.path().join("begun");
        let dropped = folder.path().join("dropped");
        let run = court().cancel_grace(LONG).run(|queen| async move {
            let waits = queen.wait(begun.clone(), dropped.clone());
            let cancels = async {
                until(|| noted(&begun) == 1).await;
                queen.cancel("it is late");
            };
            let (waited, ()) = tokio::join!(waits, cancels);
            until(|| noted(&dropped) == 1).await;
            waited
        });
        let error = block_on(run).unwrap_err();
        assert!(matches!(error, BeehiveError::Cancelled { reason } if reason == "it is late"));
        assert_eq!(children(), [0_u32; 0]);
    });
}

/// A bee that does not let go does not hold it up for long.
#[test]
fn a_queen_that_is_cancelled_while_a_bee_blocks_leaves_nothing() {
    check(|| {
        let folder = tempfile::tempdir().unwrap();
        let begun = folder.path().join("begun");
        let never = folder.path().join("never");
        let run = court().run(|queen| async move {
            let blocks = queen.block(begun.clone(), never);
            let cancels = async {
                until(|| noted(&begun) == 1).await;
                queen.cancel("it is late");
            };
            tokio::join!(blocks, cancels).0
        });
        let error = block_on(run).unwrap_err();
        assert!(matches!(error, BeehiveError::Cancelled { .. }));
        assert_eq!(children(), [0_u32; 0]);
    });
}

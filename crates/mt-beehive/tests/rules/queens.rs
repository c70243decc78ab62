//! Queens that fail, panic or are cancelled: their bees are gone when it is told.

use std::{panic::AssertUnwindSafe, time::Duration};

use mt_beehive::{
    BeehiveError, BeehiveRun, DelegateError, Hive, beehive_run, limits::Deadlines, run::WithQueen,
};

use crate::{
    bees::{Birth, Deed, Doer, DoerTasks},
    scene::{Folder, block_on, check, children, until, wait_until},
};

/// Longer than a bee takes on any machine.
const LONG: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Ruler;

#[mt_beehive::queen(worker = Doer)]
impl Ruler {
    #[task]
    async fn fail(&self, hive: &Hive<Doer>) -> Result<(), DelegateError> {
        hive.act(Deed::Panic("in the bee".into())).await
    }

    #[task]
    async fn panic(&self, hive: &Hive<Doer>) {
        let pid = hive.pid().await.unwrap();
        panic!("the queen of {pid}");
    }

    #[task]
    async fn wait(&self, hive: &Hive<Doer>, folder: Folder) {
        let _ = hive.wait(folder).await;
    }

    #[task]
    async fn block(&self, hive: &Hive<Doer>, folder: Folder) {
        let _ = hive.block_until(folder).await;
    }
}

fn reign() -> BeehiveRun<Doer, WithQueen<Ruler>> {
    beehive_run::<Ruler>((), Birth::Well).processes(2)
}

#[test]
fn a_queen_that_fails_leaves_nothing() {
    check(|| {
        let failed = block_on(reign().run_task::<()>("fail", ())).unwrap_err();
        let said = "panicked: in the bee (at ";
        assert!(failed.to_string().starts_with(said), "{failed}");
        assert_eq!(children(), [0_u32; 0]);
    });
}

#[test]
fn a_queen_that_panics_leaves_nothing() {
    check(|| {
        let run = reign().run_task::<()>("panic", ());
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
        let folder = Folder::temp();
        let patient = Deadlines::new().cancel_grace(LONG);
        let run = reign().deadlines(patient).run(async |queen| {
            let cancels = async {
                until(|| !folder.noted("begun").is_empty()).await;
                queen.cancel("it is late");
            };
            let (waited, ()) = tokio::join!(queen.wait(folder.clone()), cancels);
            until(|| !folder.noted("dropped").is_empty()).await;
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
        let folder = Folder::temp();
        let run = reign().run(async |queen| {
            let cancels = async {
                until(|| !folder.noted("begun").is_empty()).await;
                queen.cancel("it is late");
            };
            tokio::join!(queen.block(folder.clone()), cancels).0
        });
        let error = block_on(run).unwrap_err();
        assert!(matches!(error, BeehiveError::Cancelled { .. }));
        assert_eq!(children(), [0_u32; 0]);
    });
}

/// A queen with her hive as a value: shut down, and dropped with what is under way.
#[test]
fn a_queen_that_runs_as_a_value_leaves_nothing() {
    check(|| {
        let folder = Folder::temp();
        block_on(async {
            let queen = reign().start().await.unwrap();
            assert_eq!(queen.hive().add(1, 2).await, Ok(3));
            queen.shutdown().await;
            assert_eq!(children(), [0_u32; 0]);

            let queen = reign().start().await.unwrap();
            tokio::select! {
                _ = queen.block(folder.clone()) => panic!("it blocks for ever"),
                () = until(|| !folder.noted("begun").is_empty()) => {}
            }
            drop(queen);
            assert_eq!(children(), [0_u32; 0]);
        });
    });
}

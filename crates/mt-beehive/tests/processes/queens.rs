//! Queens that are types of their own: what they are given and return, and that their bees are gone when it is told
//! how they ended, however that was.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use futures::future::{join, pending, try_join_all};
use mt_beehive::{
    BeeCx, BeehiveError, BeehiveRun, DelegateError, Hive, Queen, StartError, beehive_run,
    error::Part, run::WithQueen,
};

use crate::{
    doer::{Birth, Deed, Doer, DoerTasks},
    scene::{
        Folder, begun, beside, block_on, check, check_async, children, patient, test_with, until,
        wait_until,
    },
};

/// What never crosses.
type Tally = Rc<Cell<usize>>;

struct Ruler {
    words: Tally,
}

#[mt_beehive::queen(worker = Doer)]
impl Ruler {
    async fn new(cx: BeeCx, words: Tally, most: usize) -> Result<Self, String> {
        assert_eq!(cx.my_id, 0);
        match words.get() > most {
            true => Err(format!("more than {most}")),
            false => Ok(Self { words }),
        }
    }

    #[task]
    async fn letters(&self, hive: &Hive<Doer>, text: String) -> Result<u64, DelegateError> {
        let mut sum = 0;
        for word in text.split(' ') {
            self.words.set(self.words.get() + 1);
            sum = hive.add(sum, word.len() as u64).await?;
        }
        Ok(sum)
    }

    #[task]
    fn words(&self) -> Tally {
        Rc::clone(&self.words)
    }

    #[task]
    async fn fail(&self) -> anyhow::Result<()> {
        anyhow::bail!("on purpose")
    }

    #[task]
    async fn fail_below(&self, hive: &Hive<Doer>) -> Result<(), DelegateError> {
        hive.act(Deed::Panic("in the bee".into())).await
    }

    #[task]
    async fn panic(&self, hive: &Hive<Doer>) {
        let pid = hive.pid().await.unwrap();
        panic!("the queen of {pid}");
    }

    #[task]
    async fn wait_alone(&self, hive: Hive<Doer>) {
        let _ = hive.pid().await;
        pending().await
    }

    #[task]
    async fn wait(&self, hive: &Hive<Doer>, folder: Folder) {
        let _ = hive.wait(folder).await;
    }

    #[task]
    async fn block(&self, hive: &Hive<Doer>, folder: Folder) {
        let _ = hive.block_until(folder).await;
    }

    /// Asks the queen herself for a task, several times over.
    #[task]
    async fn ask_again(&self, queen: Queen<Ruler>, times: usize) -> Result<usize, BeehiveError> {
        tokio::task::yield_now().await;
        match times {
            0 => Ok(0),
            _ => Ok(1 + queen.ask_again(queen.clone(), times - 1).await?),
        }
    }

    /// Comes and goes; the most there were at once are counted in `most`.
    #[task]
    async fn visit(&self, inside: Tally, most: Tally) {
        inside.set(inside.get() + 1);
        most.set(most.get().max(inside.get()));
        tokio::task::yield_now().await;
        inside.set(inside.get() - 1);
    }
}

fn reign_of(words: &Tally) -> BeehiveRun<Doer, WithQueen<Ruler>> {
    beehive_run::<Ruler>((Rc::clone(words), 10), Birth::Well).processes(2)
}

fn reign() -> BeehiveRun<Doer, WithQueen<Ruler>> {
    reign_of(&Tally::default())
}

/// Case H1: Nothing that a queen is made of, given or returns crosses.
#[test_with(check_async)]
async fn a_queen_has_a_hive_and_nothing_she_is_given_crosses() {
    let words = Tally::default();
    let sum = reign_of(&words).run(|queen| queen.letters("a bee or two".into()));
    assert_eq!((sum.await.unwrap(), words.get()), (9, 4));
    let sum = reign_of(&words).run_task::<u64>("letters", "three".to_owned());
    assert_eq!(sum.await.unwrap(), 5);
    let same: Tally = reign_of(&words).run_task("words", ()).await.unwrap();
    assert!(Rc::ptr_eq(&same, &words));
}

/// Case H51: A queen's task that there is not, fails or is asked for with other types says so by type.
#[test_with(check_async)]
async fn what_goes_wrong_says_what() {
    let nothing = reign().run_task::<()>("nothing", ()).await.unwrap_err();
    let text = nothing.to_string();
    assert!(matches!(nothing, BeehiveError::NoSuchTask { name, .. } if name == "nothing"));
    assert!(
        text.contains("Ruler") && text.contains("letters, words, fail"),
        "{text}"
    );

    let failed = reign().run(|queen| queen.fail()).await;
    let Err(BeehiveError::Raised(exception)) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(exception.exception, "on purpose");
    assert!(exception.other_details["type"].contains("anyhow"));
    let string = std::any::type_name::<String>();
    let wrong = [
        reign().run_task::<u64>("letters", 5_u8).await.map(drop),
        reign()
            .run_task::<String>("letters", String::from("a"))
            .await
            .map(drop),
    ];
    let expected = [
        (Part::Arguments, "u8", string),
        (Part::Value, "u64", string),
    ];
    for (wrong, as_expected) in wrong.into_iter().zip(expected) {
        match wrong.unwrap_err() {
            BeehiveError::WrongType {
                part,
                given,
                expected,
                ..
            } => {
                assert_eq!((part, given, expected), as_expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Case H26: With an option out of its range neither queen nor bee is made.
#[test_with(check_async)]
async fn a_queen_whose_options_are_out_of_range_is_not_made() {
    let queens = reign().queenbee_max_concurrency(0);
    let bees = reign().max_concurrency(0);
    let options = ["queenbee_max_concurrency", "max_concurrency"];
    for (expected, run) in options.into_iter().zip([queens, bees]) {
        match run.start().await.unwrap_err() {
            BeehiveError::Start(StartError::Option { option, .. }) => {
                assert_eq!(option, expected);
            }
            other => panic!("{other}"),
        }
    }
}

/// Case H52: A queen that can't be made has no hive.
#[test_with(check_async)]
async fn a_queen_that_can_not_be_made_has_no_hive() {
    let many = Tally::new(Cell::new(11));
    let run = reign_of(&many).run(async |_| -> anyhow::Result<()> { unreachable!("no queen") });
    let why = "the queen bee can't be made: more than 10";
    assert_eq!(run.await.unwrap_err().to_string(), why);
}

/// Case H54: `Queen::cancel` ends tasks where they are, and the first reason counts.
#[test_with(check_async)]
async fn cancelled_tasks_end_where_they_are() {
    let words = Tally::default();
    let one_by_one = reign_of(&words).processes(1).queenbee_max_concurrency(1);
    let run = one_by_one.run(async |queen| {
        let (letters, wait) = (queen.letters("never begun".into()), queen.wait_alone());
        let cancel = async {
            // When a bee has answered her, she has begun to wait.
            let _ = queen.hive().pid().await;
            queen.cancel("it is late");
            queen.cancel("it is later");
        };
        let (wait, letters, ()) = tokio::join!(wait, letters, cancel);
        Ok::<_, BeehiveError>([wait.unwrap_err(), letters.unwrap_err()])
    });
    for error in run.await.unwrap() {
        assert!(matches!(error, BeehiveError::Cancelled { reason } if reason == "it is late"));
    }
    assert_eq!(words.get(), 0);
}

/// A task that asks the queen for another, and awaits it, has no need of a second place for that.
#[test_with(check_async)]
async fn a_task_that_asks_for_another_needs_one_place() {
    let one_by_one = reign().queenbee_max_concurrency(1);
    let asked = one_by_one.run(async |queen| queen.ask_again(queen.clone(), 5).await);
    assert_eq!(asked.await.unwrap(), 5);
}

/// Case H53: A queen does as many tasks at once as `queenbee_max_concurrency`.
#[test]
fn a_queen_does_so_many_tasks_at_once() {
    async fn visits(queen: Queen<Ruler>) -> Result<usize, BeehiveError> {
        let (inside, most) = (Tally::default(), Tally::default());
        let visits = (0..5).map(|_| queen.visit(Rc::clone(&inside), Rc::clone(&most)));
        try_join_all(visits).await?;
        Ok(most.get())
    }
    check_async(async || {
        assert_eq!(reign().run(visits).await.unwrap(), 5);
        let limited = reign().queenbee_max_concurrency(2);
        assert_eq!(limited.run(visits).await.unwrap(), 2);
    });
}

#[test_with(check)]
fn a_queen_that_fails_leaves_nothing() {
    let failed = block_on(reign().run_task::<()>("fail_below", ())).unwrap_err();
    let said = "panicked: in the bee (at ";
    assert!(failed.to_string().starts_with(said), "{failed}");
    assert_eq!(children(), [0_u32; 0]);
}

/// Case H55: A panic of a queen goes to whoever runs her, and leaves no bee.
#[test_with(check)]
fn a_queen_that_panics_leaves_nothing() {
    let run = reign().run_task::<()>("panic", ());
    let panic = catch_unwind(AssertUnwindSafe(|| block_on(run))).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("the queen of "), "{text}");
    wait_until(|| children().is_empty());
}

/// What she has delegated ends with her task, in the bee too.
#[test_with(check)]
fn a_queen_that_is_cancelled_leaves_nothing() {
    let folder = Folder::temp();
    let run = reign().deadlines(patient()).run(async |queen| {
        let cancels = async {
            begun(&folder, 1).await;
            queen.cancel("it is late");
        };
        let (waited, ()) = join(queen.wait(folder.clone()), cancels).await;
        until(|| !folder.noted("dropped").is_empty()).await;
        waited
    });
    let error = block_on(run).unwrap_err();
    assert!(matches!(error, BeehiveError::Cancelled { reason } if reason == "it is late"));
    assert_eq!(children(), [0_u32; 0]);
}

/// A bee that does not let go does not hold it up for long.
#[test_with(check)]
fn a_queen_that_is_cancelled_while_a_bee_blocks_leaves_nothing() {
    let folder = Folder::temp();
    let run = reign().run(async |queen| {
        let cancels = async {
            begun(&folder, 1).await;
            queen.cancel("it is late");
        };
        join(queen.block(folder.clone()), cancels).await.0
    });
    let error = block_on(run).unwrap_err();
    assert!(matches!(error, BeehiveError::Cancelled { .. }));
    assert_eq!(children(), [0_u32; 0]);
}

/// A queen with her hive as a value: shut down, and dropped with what is under way.
#[test_with(check_async)]
async fn a_queen_that_runs_as_a_value_leaves_nothing() {
    let queen = reign().start().await.unwrap();
    assert_eq!(queen.hive().add(1, 2).await, Ok(3));
    queen.shutdown().await;
    assert_eq!(children(), [0_u32; 0]);

    let folder = Folder::temp();
    let queen = reign().start().await.unwrap();
    beside(queen.block(folder.clone()), begun(&folder, 1)).await;
    drop(queen);
    // Inside a task the drop itself waits for nothing.
    wait_until(|| children().is_empty());
}

//! Queens that are types of their own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{cell::Cell, rc::Rc, time::Duration};

use mt_beehive::{
    BeeCx, BeehiveError, BeehiveRun, DelegateError, Hive, Queen, StartError, beehive_run,
    error::Part, run::WithQueen,
};

mt_beehive::test_worker!();

#[derive(Default)]
struct Counter;

#[mt_beehive::worker]
impl Counter {
    #[task]
    async fn letters(&self, word: String) -> usize {
        word.len()
    }
}

/// What never crosses.
type Tally = Rc<Cell<usize>>;

struct Librarian {
    words: Tally,
}

#[mt_beehive::queen(worker = Counter)]
impl Librarian {
    async fn new(cx: BeeCx, words: Tally, most: usize) -> Result<Self, String> {
        assert_eq!(cx.my_id, 0);
        match words.get() > most {
            true => Err(format!("more than {most}")),
            false => Ok(Self { words }),
        }
    }

    #[task]
    async fn letters(&self, hive: &Hive<Counter>, text: String) -> Result<usize, DelegateError> {
        let mut sum = 0;
        for word in text.split(' ') {
            self.words.set(self.words.get() + 1);
            sum += hive.letters(word.to_owned()).await?;
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
    async fn wait(&self, hive: Hive<Counter>) {
        let _ = hive.letters("first".into()).await;
        std::future::pending().await
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

fn library(words: &Tally) -> BeehiveRun<Counter, WithQueen<Librarian>> {
    beehive_run::<Librarian>((Rc::clone(words), 10), ()).processes(1)
}

/// Runs `run` under a watchdog.
fn check<F: Future>(run: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let watched = async { tokio::time::timeout(Duration::from_secs(60), run).await };
    runtime.block_on(watched).expect("it ends")
}

#[test]
fn a_queen_has_a_hive_and_nothing_she_is_given_crosses() {
    let words = Tally::default();
    let sum = check(library(&words).run(|queen| queen.letters("a bee or two".into())));
    assert_eq!((sum.unwrap(), words.get()), (9, 4));
    let sum = check(library(&words).run_task::<usize>("letters", "three".to_owned()));
    assert_eq!(sum.unwrap(), 5);
    let same: Tally = check(library(&words).run_task("words", ())).unwrap();
    assert!(Rc::ptr_eq(&same, &words));
}

#[test]
fn what_goes_wrong_says_what() {
    let words = Tally::default();
    let nothing = check(library(&words).run_task::<()>("nothing", ())).unwrap_err();
    let text = nothing.to_string();
    assert!(matches!(nothing, BeehiveError::NoSuchTask { name, .. } if name == "nothing"));
    assert!(
        text.contains("Librarian") && text.contains("letters, words, fail"),
        "{text}"
    );

    let raised = |error: BeehiveError| match error {
        BeehiveError::Raised(exception) => exception,
        other => panic!("{other:?}"),
    };
    let failed = check(library(&words).run(|queen| queen.fail()));
    let exception = raised(failed.unwrap_err());
    assert_eq!(exception.exception, "on purpose");
    assert!(exception.other_details["type"].contains("anyhow"));
    let other_type = |error: BeehiveError| match error {
        BeehiveError::WrongType {
            part,
            given,
            expected,
            ..
        } => (part, given, expected),
        other => panic!("{other:?}"),
    };
    let string = std::any::type_name::<String>();
    let wrong = check(library(&words).run_task::<usize>("letters", 5_u8));
    let wrong = other_type(wrong.unwrap_err());
    assert_eq!(wrong, (Part::Arguments, "u8", string));
    let wrong = check(library(&words).run_task::<String>("letters", String::from("a")));
    let wrong = other_type(wrong.unwrap_err());
    assert_eq!(wrong, (Part::Value, "usize", string));
}

#[test]
fn a_queen_whose_options_are_out_of_range_is_not_made() {
    let words = Tally::default();
    let queens = library(&words).queenbee_max_concurrency(0);
    let bees = library(&words).max_concurrency(0);
    for (expected, run) in [
        ("queenbee_max_concurrency", queens),
        ("max_concurrency", bees),
    ] {
        match check(run.start()).unwrap_err() {
            BeehiveError::Start(StartError::Option { option, .. }) => assert_eq!(option, expected),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_queen_that_can_not_be_made_has_no_hive() {
    let words = Tally::new(Cell::new(11));
    let run = library(&words).run(async |_| -> anyhow::Result<()> { unreachable!("no queen") });
    let error = check(run).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the queen bee can't be made: more than 10"
    );
}

#[test]
fn cancelled_tasks_end_where_they_are() {
    let words = Tally::default();
    let run = library(&words)
        .queenbee_max_concurrency(1)
        .run(async |queen| {
            let (letters, wait) = (queen.letters("never begun".into()), queen.wait());
            let cancel = async {
                // When a bee has answered her, she has begun to wait.
                let _ = queen.hive().letters("second".into()).await;
                queen.cancel("it is late");
                queen.cancel("it is later");
            };
            let (wait, letters, ()) = tokio::join!(wait, letters, cancel);
            Ok::<_, BeehiveError>([wait.unwrap_err(), letters.unwrap_err()])
        });
    for error in check(run).unwrap() {
        assert!(matches!(error, BeehiveError::Cancelled { reason } if reason == "it is late"));
    }
    assert_eq!(words.get(), 0);
}

#[test]
fn a_queen_does_so_many_tasks_at_once() {
    async fn visits(queen: Queen<Librarian>) -> Result<usize, BeehiveError> {
        let (inside, most) = (Tally::default(), Tally::default());
        let visits = (0..5).map(|_| queen.visit(Rc::clone(&inside), Rc::clone(&most)));
        futures::future::try_join_all(visits).await?;
        Ok(most.get())
    }
    let words = Tally::default();
    assert_eq!(check(library(&words).run(visits)).unwrap(), 5);
    let limited = library(&words).queenbee_max_concurrency(2);
    assert_eq!(check(limited.run(visits)).unwrap(), 2);
}

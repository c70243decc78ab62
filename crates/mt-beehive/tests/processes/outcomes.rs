//! Whatever a task does that leaves its bee alive is its own outcome.

use std::fmt;

use futures::future::join_all;
use mt_beehive::{
    DelegateError, Exception, Hive,
    error::{CrossingProblem, Part},
};

use crate::{
    doer::{Deed, Doer, DoerTasks, Mute, Odd, Unserialisable},
    scene::{either_way, hive, test_with},
};

/// What was told of a panic.
fn panicked<R: fmt::Debug>(result: Result<R, DelegateError>) -> Exception {
    match result {
        Err(DelegateError::Panicked(panic)) => panic,
        other => panic!("{other:?}"),
    }
}

/// What could not cross, and why.
fn crossing<R: fmt::Debug, E: fmt::Debug>(
    result: Result<R, DelegateError<E>>,
) -> (Part, CrossingProblem) {
    match result {
        Err(DelegateError::Crossing(error)) => (error.part, error.problem),
        other => panic!("{other:?}"),
    }
}

/// What does not serialise.
fn unserialisable(part: Part, message: &str) -> (Part, CrossingProblem) {
    let message = message.to_owned();
    (part, CrossingProblem::Unserialisable { message })
}

/// Passes if this part is what does not serialise.
#[track_caller]
fn assert_unserialisable((part, problem): (Part, CrossingProblem), expected: Part) {
    assert_eq!(part, expected);
    let is_refused = matches!(problem, CrossingProblem::Unserialisable { .. });
    assert!(is_refused, "{problem:?}");
}

/// What is not what the other side expected.
fn undecodable<R: fmt::Debug, E: fmt::Debug>(result: Result<R, DelegateError<E>>) -> Part {
    match crossing(result) {
        (part, CrossingProblem::Undecodable { .. }) => part,
        other => panic!("{other:?}"),
    }
}

/// Case R35: A panic of a task is its end, with message, place and call stack, and the bee goes on.
#[test_with(either_way, || hive(1))]
async fn panics_are_raised_and_the_bee_goes_on(hive: Hive<Doer>) {
    let bee = hive.pid().await;
    let result = hive.act(Deed::Panic("at the hive".into())).with_bee().await;
    let shown = result.0.clone().unwrap_err().to_string();
    let at = "panicked: at the hive (at ";
    assert!(
        shown.starts_with(at) && shown.contains("doer.rs:"),
        "{shown}"
    );
    let panic = panicked(result.0);
    assert_eq!(
        (panic.exception.as_str(), result.1),
        ("at the hive", Some(0))
    );
    assert!(panic.other_details["location"].contains("doer.rs"));
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|form| form == "0") {
        assert_eq!(panic.traceback, [""; 0]);
        return;
    }
    let stack = panic.traceback.join("\n");
    // The name is short where the compiler has inlined the function.
    let frames: Vec<_> = stack.lines().step_by(2).take(2).collect();
    let is_innermost = frames[0].starts_with("   0: ") && frames[0].ends_with("act");
    let is_caller = frames[1].starts_with("   1: processes::doer::Doer::act");
    assert!(is_innermost && is_caller, "{stack}");
    assert!(!stack.contains("catch_unwind"), "{stack}");
    let text = panicked(hive.act(Deed::PanicLong(100 << 20)).await).exception;
    assert!(text.starts_with("éé") && text.len() < 1 << 20, "clipped");
    assert_eq!(hive.pid().await, bee);
}

/// The compiler knows the error's type, whatever the `Result` is called.
///
/// Case H5: An error that a task returns arrives as it is if its type can cross, and as its text if not; by name, as
/// `raises` says.
#[test_with(either_way, || hive(1))]
async fn an_error_arrives_as_it_is_if_it_can_cross_and_as_its_text_if_not(hive: Hive<Doer>) {
    let (text, child) = hive.fail().with_bee().await;
    let Err(DelegateError::Raised(raised)) = text else {
        panic!("{text:?}");
    };
    assert_eq!((raised.exception.as_str(), child), ("on purpose", Some(0)));
    assert_eq!(raised.other_details["type"], "&str");
    let negative = Err(DelegateError::Raised(Odd::Negative { by: 1 }));
    let typed: Result<u64, DelegateError<Odd>> = hive.root(-1).await;
    assert_eq!(typed, negative);
    assert_eq!(hive.root(1).await, Ok(1));
    let many = DelegateError::Raised(Odd::Many("xx".into()));
    assert_eq!(hive.root(100).await, Err(many));
    assert_eq!(
        hive.fail_mutely().await,
        Err(DelegateError::Raised(Mute(7)))
    );
    // By name: its text, as far as it has one, or itself.
    let text = hive.delegate::<u64>("root", -1_i64).await.unwrap_err();
    assert_eq!(text.to_string(), "raised: Negative { by: 1 }");
    let typed = hive.delegate::<u64>("root", -1_i64).raises().await;
    assert_eq!(typed, negative);
    // Of another type, of a task whose error does not cross, and one that does not serialise.
    let other = hive.delegate::<u64>("root", 100_i64).raises::<bool>();
    assert_eq!(undecodable(other.await), Part::Error);
    let none = crossing(hive.delegate::<u64>("fail", ()).raises::<Odd>().await);
    assert_eq!(
        none,
        unserialisable(Part::Error, "of a `&str` only the text crosses: on purpose")
    );
    let never = crossing(
        hive.fail_unserialisably()
            .await
            .map_err(|error| error.map_raised(drop)),
    );
    assert_unserialisable(never, Part::Error);
}

/// Case H7: A value that does not serialise is `Crossing`, and the bee goes on.
#[test_with(either_way, || hive(1))]
async fn what_does_not_serialise_is_raised_and_the_bee_goes_on(hive: Hive<Doer>) {
    let bee = hive.pid().await;
    for _ in 0..20 {
        let never = hive.delegate::<u64>("unserialisable", false).await;
        assert_unserialisable(crossing(never), Part::Value);
        let panics = hive.delegate::<u64>("unserialisable", true).await;
        assert_eq!(panicked(panics).exception, "it does not want to cross");
    }
    assert_eq!(hive.pid().await, bee);
}

/// Case H6: A name that there is not says what there is, arguments and values of other types are `Crossing`, and the
/// bee goes on.
#[test_with(either_way, || hive(1))]
async fn unknown_names_and_wrong_arguments_are_raised(hive: Hive<Doer>) {
    let bee = hive.pid().await;
    let (nothing, asked) = hive.delegate::<u64>("no_such", 1_u64).with_bee().await;
    let shown = nothing.clone().unwrap_err().to_string();
    assert!(shown.contains("no task named `no_such`") && shown.ends_with("busy_status"));
    let Err(DelegateError::NoSuchTask { name, tasks, .. }) = nothing else {
        panic!("{nothing:?}");
    };
    assert_eq!(
        (name.as_str(), asked),
        ("no_such", Some(0)),
        "she was asked"
    );
    assert_eq!(tasks[..2], ["add", "act"]);
    let text = hive.delegate::<u64>("add", "text".to_owned()).await;
    assert_eq!(undecodable(text), Part::Arguments);
    let text = hive.delegate::<u64>("add", "text").await;
    assert_eq!(undecodable(text), Part::Arguments, "a `&str` can be sent");
    let many = hive.delegate::<u64>("add", (1_u64, 2_u64, 3_u64)).await;
    assert_eq!(undecodable(many), Part::Arguments, "one too many");
    let other = hive.delegate::<String>("add", (300_u64, 2_u64)).await;
    assert_eq!(undecodable(other), Part::Value, "another type");
    assert_eq!(hive.pid().await, bee);
}

/// Case H8: A name of more than 1024 bytes is refused, and no bee is asked.
#[test_with(either_way, || hive(1))]
async fn a_name_that_is_too_long_is_refused(hive: Hive<Doer>) {
    let long = hive.delegate::<u64>("x".repeat(100_000), 1_u64).await;
    let most = CrossingProblem::TooLarge { limit_bytes: 1024 };
    assert_eq!(crossing(long), (Part::Name, most));
}

#[test_with(either_way, || hive(1))]
async fn arguments_that_do_not_serialise_are_raised_here(hive: Hive<Doer>) {
    let never = Unserialisable { panics: false };
    let never = hive.delegate::<()>("act", never).with_bee().await;
    assert_unserialisable(crossing(never.0), Part::Arguments);
    assert_eq!(never.1, None, "nobody was asked");
    assert_eq!(hive.add(1, 2).await, Ok(3));
}

/// One hundred bad ones beside one hundred good ones.
#[test_with(either_way, || hive(2))]
async fn bad_tasks_do_not_touch_good_ones(hive: Hive<Doer>) {
    let all = (0..100_u64).map(async |n| {
        let bad = async {
            let unserialisable = |panics| hive.delegate("unserialisable", panics);
            let bad = match n % 4 {
                0 => hive.act(Deed::Panic("bad".into())).await,
                1 => unserialisable(n % 8 == 1).await,
                2 => hive.delegate("no_such", ()).await,
                _ => hive.delegate("add", ()).await,
            };
            bad.unwrap_err();
        };
        let ((), good) = tokio::join!(bad, hive.add(n, 1));
        assert_eq!(good, Ok(n + 1));
    });
    join_all(all).await;
}

#[test_with(either_way, || hive(1))]
async fn rubbish_on_standard_output_is_harmless(hive: Hive<Doer>) {
    let bee = hive.pid().await;
    assert_eq!(hive.act(Deed::Print).await, Ok(()));
    assert_eq!(hive.pid().await, bee);
}

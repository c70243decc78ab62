//! Whatever a task does that leaves its bee alive is its own outcome.

use std::fmt;

use futures::future::join_all;
use mt_beehive::{
    DelegateError,
    error::{CrossingProblem, Part},
};

use crate::{
    bees::{Deed, DoerTasks, Unserialisable},
    scene::{either_way, hive},
};

/// What was told of a panic.
fn panicked<R: fmt::Debug>(result: Result<R, DelegateError>) -> String {
    match result {
        Err(DelegateError::Panicked(panic)) => panic.exception,
        other => panic!("{other:?}"),
    }
}

/// What does not serialise, and what its `Serialize` says.
fn unserialisable<R: fmt::Debug>(result: Result<R, DelegateError>) -> (Part, String) {
    match result {
        Err(DelegateError::Crossing(error)) => match error.problem {
            CrossingProblem::Unserialisable { message } => (error.part, message),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// What is not what the other side expected.
fn undecodable<R: fmt::Debug>(result: Result<R, DelegateError>) -> Part {
    match result {
        Err(DelegateError::Crossing(error)) => {
            let is_other = matches!(error.problem, CrossingProblem::Undecodable { .. });
            assert!(is_other, "{error}");
            error.part
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn panics_are_raised_and_the_bee_goes_on() {
    either_way(
        || hive(1),
        async |hive| {
            let bee = hive.pid().await;
            let (result, child) = hive.act(Deed::Panic("by its own".into())).with_bee().await;
            assert_eq!((panicked(result), child), ("by its own".into(), Some(0)));
            let text = panicked(hive.act(Deed::PanicLong(100 << 20)).await);
            assert!(text.starts_with("éé") && text.len() < 1 << 20, "clipped");
            assert_eq!(hive.pid().await, bee);
        },
    );
}

#[test]
fn what_does_not_serialise_is_raised_and_the_bee_goes_on() {
    either_way(
        || hive(1),
        async |hive| {
            let bee = hive.pid().await;
            for _ in 0..20 {
                let never = hive.delegate::<u64>("unserialisable", false).await;
                assert_eq!(unserialisable(never).0, Part::Value);
                let panics = hive.delegate::<u64>("unserialisable", true).await;
                assert_eq!(panicked(panics), "it does not want to cross");
            }
            assert_eq!(hive.pid().await, bee);
        },
    );
}

#[test]
fn unknown_names_and_wrong_arguments_are_raised() {
    either_way(
        || hive(1),
        async |hive| {
            let bee = hive.pid().await;
            let nothing = hive.delegate::<u64>("no_such", 1_u64).with_bee().await;
            let (Err(DelegateError::NoSuchTask { name, tasks, .. }), asked) = nothing else {
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
            let many = (1_u64, 2_u64, 3_u64);
            let many = hive.delegate::<u64>("add", many).await;
            assert_eq!(undecodable(many), Part::Arguments, "one too many");
            let other = hive.delegate::<String>("add", (300_u64, 2_u64)).await;
            assert_eq!(undecodable(other), Part::Value, "another type");
            assert_eq!(hive.pid().await, bee);
        },
    );
}

#[test]
fn arguments_that_do_not_serialise_are_raised_here() {
    either_way(
        || hive(1),
        async |hive| {
            let never = Unserialisable { panics: false };
            let never = hive.delegate::<()>("act", never).with_bee().await;
            assert_eq!(unserialisable(never.0).0, Part::Arguments);
            assert_eq!(never.1, None, "nobody was asked");
            assert_eq!(hive.add(1, 2).await, Ok(3));
        },
    );
}

/// One hundred bad ones beside one hundred good ones.
#[test]
fn bad_tasks_do_not_touch_good_ones() {
    either_way(
        || hive(2),
        async |hive| {
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
        },
    );
}

#[test]
fn rubbish_on_standard_output_is_harmless() {
    either_way(
        || hive(1),
        async |hive| {
            let bee = hive.pid().await;
            assert_eq!(hive.act(Deed::Print).await, Ok(()));
            assert_eq!(hive.pid().await, bee);
        },
    );
}

//! What crosses to a worker and back comes as it went, or not at all: items, results, typed errors, shared values,
//! configs of contexts, and the values of hooks.

use mt_pool::{Context, StartError, works::asyn_work_generator};
use mt_test_kit::{Deep, LEFT_OUT, Skipping, WHOLE};
use serde::{Deserialize, Serialize};

use crate::prelude::*;

/// Written with a field more than it is read with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unread {
    #[serde(skip_deserializing)]
    a: u8,
    b: u8,
}

#[task]
fn echo(value: Skipping) -> Skipping {
    value
}

#[task]
async fn leave_out_async(whole: bool) -> Result<Skipping, Skipping> {
    match whole {
        true => Err(WHOLE),
        false => Ok(LEFT_OUT),
    }
}

#[task]
fn leave_out_error(whole: bool) -> Result<u8, Skipping> {
    Err(if whole { WHOLE } else { LEFT_OUT })
}

#[task]
fn give_unread(by: u64) -> [Unread; 2] {
    [Unread { a: 1, b: by as u8 }, Unread { a: 3, b: 4 }]
}

#[task]
fn take_shared(n: u64, #[shared] _value: &Skipping) -> u64 {
    n
}

#[task]
fn take_unread(n: u64, #[shared] _value: &[Unread; 2]) -> u64 {
    n
}

/// What is opened of a config.
struct Opened;

impl Context for Opened {
    type Config = Skipping;
    type Error = Never;

    async fn open(_: &Skipping) -> Result<Self, Never> {
        Ok(Self)
    }
}

#[task]
fn init_with(_value: Skipping) {}

#[task]
async fn in_context(n: u64, #[context] _opened: &Opened) -> u64 {
    n
}

#[task]
fn on_exit(whole: bool) -> Skipping {
    if whole { WHOLE } else { LEFT_OUT }
}

#[task]
fn dig(levels: usize) -> Deep {
    Deep::of(levels)
}

#[task]
fn depth(deep: Deep) -> usize {
    let (mut levels, mut at) = (0, &deep);
    while let Some(below) = at.0.first() {
        (levels, at) = (levels + 1, below);
    }
    levels
}

#[task]
fn dig_error(levels: usize) -> Result<u8, Deep> {
    Err(Deep::of(levels))
}

#[track_caller]
fn is_left_out<E: Debug>(kind: &TaskErrorKind<E>) {
    let TaskErrorKind::Unserialisable(why) = kind else {
        panic!("{kind:?}");
    };
    assert!(why.contains("field `a` of `Skipping` is left out"), "{why}");
    assert!(why.contains("mt_pool::Json"), "{why}");
}

/// Case 1: An item, a result and a typed error whose field is left out are typed errors that name it, and the others
/// arrive as they were.
#[test_with(alone)]
fn items_results_and_errors_are_never_another_value() {
    let items = complete(asyn_pmap::<echo>([WHOLE, LEFT_OUT, WHOLE]).processes(1), 3);
    assert_eq!(items.failed(), [1]);
    is_left_out(items.kind(1));
    assert_eq!(items.outcomes[2].as_ref().unwrap(), &WHOLE);
    let results = complete(asyn_pmap::<leave_out_async>([true, false]).processes(1), 2);
    assert!(matches!(results.kind(0), TaskErrorKind::Raised(error) if *error == WHOLE));
    is_left_out(results.kind(1));
    let errors = complete(asyn_pmap::<leave_out_error>([true, false]).processes(1), 2);
    assert!(matches!(errors.kind(0), TaskErrorKind::Raised(error) if *error == WHOLE));
    is_left_out(errors.kind(1));
    let works = asyn_work_generator::<give_unread>(3)
        .processes(1)
        .start()
        .unwrap();
    for (_, outcome) in works.into_iter() {
        assert_is!(outcome.unwrap_err().kind(), TaskErrorKind::Undecodable(_));
    }
}

/// Case 1: What all items share, a context's config and what hooks take and return are refused like items.
#[test_with(alone)]
fn what_is_not_an_item_is_refused_alike() {
    let refused = |error: StartError, named: &str| match error {
        StartError::Value { option, message } => {
            assert_eq!(option, named);
            assert!(message.contains("is left out"), "{message}");
        }
        other => panic!("{other:?}"),
    };
    let shared = asyn_pmap::<take_shared>(0..3).shared(LEFT_OUT).start();
    refused(shared.map(drop).unwrap_err(), "shared");
    let context = asyn_pmap::<in_context>(0..3).context(LEFT_OUT).start();
    refused(context.map(drop).unwrap_err(), "context");
    let init = asyn_pmap::<double>(0..3)
        .init::<init_with>(LEFT_OUT)
        .start();
    refused(init.map(drop).unwrap_err(), "init");
    let unread = [Unread { a: 1, b: 2 }, Unread { a: 3, b: 4 }];
    let unread = asyn_pmap::<take_unread>(0..3).shared(unread).processes(1);
    let mut run = unread.start().unwrap().into_iter();
    let error = run.next().unwrap().unwrap_err().to_string();
    assert!(
        error.contains("shared value") && error.contains("do not agree"),
        "{error}"
    );
    drop(run);
    for whole in [true, false] {
        let run = asyn_pmap::<double>(0..3)
            .exit::<on_exit>(whole)
            .processes(1);
        let mut run = run.start().unwrap().into_iter();
        assert_eq!(run.by_ref().filter(Result::is_ok).count(), 3);
        let values = run.exit_values::<on_exit>();
        let expected: Vec<_> = whole.then_some(Ok(WHOLE)).into_iter().collect();
        assert_eq!(values, expected);
    }
}

/// Case 3: A result that nests 60,000 deep is a typed error in a thread of 2 MiB, as are an item and a typed error.
#[test_with(alone)]
fn what_nests_too_deep_is_a_typed_error() {
    let in_small = |test: fn()| {
        let thread = thread::Builder::new().stack_size(2 << 20);
        thread.spawn(test).unwrap().join().unwrap();
    };
    fn refused<E: Debug>(kind: &TaskErrorKind<E>) {
        let TaskErrorKind::Unserialisable(why) = kind else {
            panic!("{kind:?}");
        };
        assert!(why.contains("nests too deep"), "{why}");
    }
    in_small(|| {
        let results = complete(asyn_pmap::<dig>([300, 60_000, 7]).processes(1), 3);
        assert_eq!(results.failed(), [1]);
        refused(results.kind(1));
        assert_eq!(results.outcomes[0].as_ref().unwrap(), &Deep::of(300));
        let items = [300, 60_000, 7].map(Deep::of);
        let items = complete(asyn_pmap::<depth>(items).processes(1), 3);
        assert_eq!(items.failed(), [1]);
        refused(items.kind(1));
        let errors = complete(asyn_pmap::<dig_error>([300, 60_000]).processes(1), 2);
        assert_is!(errors.kind(0), TaskErrorKind::Raised(_));
        refused(errors.kind(1));
    });
}

/// Case 32: An item that is asked for as a number of another width is an error that names both types.
#[test_with(alone)]
fn an_item_named_as_another_type_is_refused() {
    let run = asyn_pmap::<act>([Deed::Abort]).processes(1).crash_limit(1);
    let report = complete(run, 1);
    let error = report.outcomes[0].as_ref().unwrap_err();
    assert!(error.item::<Deed>().unwrap().is_ok());
    assert!(error.item::<u64>().unwrap().is_err());
    let refused = complete(asyn_pmap::<aborts>([4_u64]).processes(1).crash_limit(1), 1);
    let error = refused.outcomes[0].as_ref().unwrap_err();
    assert_eq!(error.item::<u64>().unwrap().unwrap(), 4);
    let said = error.item::<u32>().unwrap().unwrap_err().to_string();
    assert!(said.contains("`u64`") && said.contains("`u32`"), "{said}");
    let run = asyn_pmap::<aborts>([4_u64]).processes(1).crash_limit(1);
    let mut run = run.start().unwrap().into_iter();
    assert!(run.by_ref().all(|outcome| outcome.is_err()));
    let letter = &run.dead_letters().letters()[0];
    assert!(letter.item::<i64>().unwrap().is_err());
    assert_eq!(letter.item::<u64>().unwrap().unwrap(), 4);
}

#[task]
fn aborts(_n: u64) -> u64 {
    std::process::abort()
}

//! What a task returns arrives as a value or as its error, by its type and whatever that is called.

use std::{error::Error, fmt, io};

use mt_pool::{
    AsynPmap, Task, TaskErrorKind, asyn_pmap, asyn_pmap_with, inline_task,
    task::{Never, Raised},
};
use serde::{Deserialize, Serialize};

mt_pool::test_worker!();

/// An error of the tests' own, that crosses as it is.
#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum Odd {
    #[error("{0} is odd")]
    Is(u32),
}

/// One that displays and can't cross.
#[derive(Debug)]
struct Unsendable(*const u8);

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is odd", if self.0.is_null() { "1" } else { "?" })
    }
}

/// One that borrows from the shared value.
struct Borrowed<'a>(&'a str, u32);

impl fmt::Display for Borrowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.1, self.0)
    }
}

/// Aliases that hide the `Result`, or what is in it.
type Res<T> = Result<T, Odd>;
type Half = io::Result<u32>;

fn half<E>(n: u32, error: impl FnOnce(String) -> E) -> Result<u32, E> {
    match n % 2 {
        0 => Ok(n / 2),
        _ => Err(error(format!("{n} is odd"))),
    }
}

/// One task for each return type, as a `fn` and as an `async fn`.
macro_rules! tasks {
    ($($sync:ident $asyn:ident -> $ty:ty: $error:expr;)*) => { $(
        #[mt_pool::task]
        fn $sync(n: u32) -> $ty {
            half(n, $error)
        }

        #[mt_pool::task]
        async fn $asyn(n: u32) -> $ty {
            tokio::task::yield_now().await;
            half(n, $error)
        }
    )* };
}

fn odd(_: String) -> Odd {
    Odd::Is(1)
}

tasks! {
    text text_async -> Result<u32, String>: |text| text;
    io_alias io_alias_async -> io::Result<u32>: io::Error::other;
    io_error io_error_async -> Result<u32, std::io::Error>: io::Error::other;
    anyhow_alias anyhow_alias_async -> anyhow::Result<u32>: anyhow::Error::msg;
    anyhow_error anyhow_error_async -> Result<u32, anyhow::Error>: anyhow::Error::msg;
    boxed boxed_async -> Result<u32, Box<dyn Error + Send + Sync>>: Into::into;
    boxed_plainly boxed_plainly_async -> Result<u32, Box<dyn Error>>: Into::into;
    own own_async -> Result<u32, Odd>: odd;
    own_alias own_alias_async -> Res<u32>: odd;
    hidden hidden_async -> Half: io::Error::other;
    unsendable unsendable_async -> Result<u32, Unsendable>: |_| Unsendable(std::ptr::null());
    borrowed borrowed_async -> Result<u32, &'static str>: |_| "1 is odd";
}

#[mt_pool::task]
fn borrowing(#[shared] word: &str, n: u32) -> Result<u32, Borrowed<'_>> {
    half(n, |_| Borrowed(word, n))
}

#[mt_pool::task]
async fn borrowing_async(#[shared] word: &str, n: u32) -> Result<u32, Borrowed<'_>> {
    half(n, |_| Borrowed(word, n))
}

/// What `?` makes of the outcomes in a program of the caller's.
fn sum<T>(run: AsynPmap<T>) -> anyhow::Result<u32>
where
    T: Task<Output = u32, Error: fmt::Debug + fmt::Display + Sync>,
{
    let mut sum = 0;
    for outcome in run.processes(1).start()? {
        sum += outcome?;
    }
    Ok(sum)
}

/// Of the items 4 and 1 the first has a value and the second this error, and a report shows it once.
fn check<T>(run: impl Fn() -> AsynPmap<T>, expected: &T::Error)
where
    T: Task<Input = u32, Output = u32, Error: fmt::Debug + fmt::Display + PartialEq + Sync>,
{
    let outcomes = run().processes(1).start().expect("workers");
    let outcomes: Vec<_> = outcomes.into_iter().collect();
    assert_eq!(*outcomes[0].as_ref().expect("even"), 2, "{}", T::NAME);
    match outcomes[1].as_ref().expect_err("odd").kind() {
        TaskErrorKind::Raised(raised) => assert_eq!(raised, expected, "{}", T::NAME),
        kind => panic!("{}: {kind:?}", T::NAME),
    }
    let report = format!("{:#}", sum(run()).expect_err("odd"));
    assert_eq!(report, "item 1: 1 is odd", "{}", T::NAME);
}

/// Checks tasks of the same error type.
macro_rules! check {
    ($expected:expr => $($task:ident)*) => {
        $( check(|| asyn_pmap::<$task>([4, 1]), &$expected); )*
    };
}

/// Case M6: An error whose type can cross arrives as it is, whatever the `Result` is called.
#[test]
fn an_error_that_can_cross_arrives_as_it_is() {
    check!(String::from("1 is odd") => text text_async);
    check!(Odd::Is(1) => own own_async own_alias own_alias_async);
}

/// Case M7: Of any other error the text arrives.
#[test]
fn of_any_other_error_the_text_arrives() {
    check!(Raised::new("1 is odd") =>
        io_alias io_alias_async io_error io_error_async
        anyhow_alias anyhow_alias_async anyhow_error anyhow_error_async
        boxed boxed_async boxed_plainly boxed_plainly_async
        hidden hidden_async unsendable unsendable_async
    );
}

#[test]
fn an_error_of_which_the_text_arrives_may_borrow() {
    check!(Raised::new("1 is odd") => borrowed borrowed_async);
    let word = || String::from("odd");
    let text = Raised::new("1 is odd");
    check(|| asyn_pmap::<borrowing>([4, 1]).shared(word()), &text);
    let run = || asyn_pmap::<borrowing_async>([4, 1]).shared(word());
    check(run, &text);
}

#[test]
fn a_task_written_in_place_returns_what_a_function_may() {
    let aliased = inline_task!(|n: u32| -> Res<u32> { half(n, self::odd) });
    let hidden = inline_task!(async |n: u32| -> Half { half(n, io::Error::other) });
    let other = inline_task!(|n: u32| -> anyhow::Result<u32> { half(n, anyhow::Error::msg) });
    check(|| asyn_pmap_with(aliased, [4, 1]), &Odd::Is(1));
    check(|| asyn_pmap_with(hidden, [4, 1]), &Raised::new("1 is odd"));
    check(|| asyn_pmap_with(other, [4, 1]), &Raised::new("1 is odd"));
}

#[test]
fn the_causes_of_an_error_are_in_its_text() {
    let task = inline_task!(|n: u32| -> anyhow::Result<u32> {
        use anyhow::Context as _;
        half(n, anyhow::Error::msg).with_context(|| format!("no half of {n}"))
    });
    let report = format!("{:#}", sum(asyn_pmap_with(task, [1])).unwrap_err());
    assert_eq!(report, "item 0: no half of 1: 1 is odd");
}

/// Values of all kinds of types are no results.
#[test]
fn what_is_no_result_is_the_value() {
    fn value<T: Task<Input = (), Error = Never>>(_: T) -> &'static str {
        std::any::type_name::<T::Output>()
    }
    type Two = (Result<u8, u8>, u8);
    assert_eq!(value(inline_task!(|| -> () {})), "()");
    assert_eq!(value(inline_task!(async || -> u8 { 1 })), "u8");
    let two = value(inline_task!(|| -> Two { (Ok(1), 2) }));
    assert_eq!(two, std::any::type_name::<Two>());
    let some = value(inline_task!(|| -> Option<Res<u8>> { None }));
    assert_eq!(some, std::any::type_name::<Option<Res<u8>>>());
}

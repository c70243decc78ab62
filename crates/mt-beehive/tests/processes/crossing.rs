//! What crosses between a queen and her bees comes as it went, or not at all.

use std::fmt::Debug;

use mt_beehive::{
    DelegateError, Hive, TaskCx,
    error::{CrossingProblem, Part},
    hive_of,
};
use mt_test_kit::{Deep, LEFT_OUT, Skipping, WHOLE};

use crate::scene::{either_way, test_with};

#[derive(Default)]
struct Carrier;

#[mt_beehive::worker]
impl Carrier {
    #[task]
    async fn echo(&self, value: Skipping) -> Skipping {
        value
    }

    #[task]
    async fn leave_out(&self) -> Skipping {
        LEFT_OUT
    }

    #[task]
    async fn fail(&self, whole: bool) -> Result<u64, Skipping> {
        Err(if whole { WHOLE } else { LEFT_OUT })
    }

    #[task]
    async fn tell(&self, cx: &TaskCx) {
        cx.progress(&LEFT_OUT);
        tokio::task::yield_now().await;
        cx.progress(&WHOLE);
    }

    #[task]
    async fn dig(&self, levels: usize) -> Deep {
        Deep::of(levels)
    }

    #[task]
    async fn double(&self, n: u64) -> u64 {
        2 * n
    }

    #[task]
    async fn wrap(&self, n: i64, label: String) -> Option<(i64, String)> {
        Some((n, label))
    }

    #[task]
    async fn same(
        &self,
        value: mt_pool::Json<serde_json::Value>,
    ) -> mt_pool::Json<serde_json::Value> {
        value
    }

    #[task]
    async fn not_a_number(&self) -> Vec<f64> {
        vec![f64::NAN]
    }
}

#[track_caller]
fn problem<R: Debug, E: Debug>(result: Result<R, DelegateError<E>>) -> (Part, CrossingProblem) {
    match result {
        Err(DelegateError::Crossing(error)) => (error.part, error.problem),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn is_left_out<R: Debug, E: Debug>(result: Result<R, DelegateError<E>>, expected: Part) {
    match problem(result) {
        (part, CrossingProblem::Unserialisable { message }) => {
            assert_eq!(part, expected);
            assert!(
                message.contains("field `a` of `Skipping` is left out"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
}

/// Case 1: Of a bee's arguments, values and typed errors none arrives as another value.
#[test_with(either_way, || hive_of::<Carrier>(()).processes(1))]
async fn a_field_that_is_left_out_is_refused(hive: Hive<Carrier>) {
    assert_eq!(hive.echo(WHOLE).await, Ok(WHOLE));
    is_left_out(hive.echo(LEFT_OUT).await, Part::Arguments);
    is_left_out(hive.leave_out().await, Part::Value);
    assert_eq!(hive.fail(true).await, Err(DelegateError::Raised(WHOLE)));
    is_left_out(hive.fail(false).await, Part::Error);
    let (told, hear) = std::sync::mpsc::channel();
    hive.tell()
        .on_progress(move |value: Skipping| told.send(value).unwrap())
        .await
        .unwrap();
    assert_eq!(hear.iter().collect::<Vec<_>>(), [WHOLE]);
    assert_eq!(hive.echo(WHOLE).await, Ok(WHOLE), "the bee goes on");
}

/// Case 3: A bee's value that nests too deep is a typed error, and nobody's end.
#[test_with(either_way, || hive_of::<Carrier>(()).processes(1))]
async fn a_value_that_nests_too_deep_is_refused(hive: Hive<Carrier>) {
    assert_eq!(hive.dig(300).await, Ok(Deep::of(300)));
    let (part, problem) = problem(hive.dig(3_000).await);
    assert_eq!(part, Part::Value);
    let CrossingProblem::Unserialisable { message } = problem else {
        panic!("{problem:?}");
    };
    assert!(message.contains("nests too deep"), "{message}");
}

/// Passes if two types were told apart.
#[track_caller]
fn are_other<R: Debug, E: Debug>(
    result: Result<R, DelegateError<E>>,
    expected_part: Part,
    [given, expected]: [&str; 2],
) {
    let Err(DelegateError::Crossing(error)) = result else {
        panic!("{result:?}");
    };
    let shown = error.to_string();
    let (
        part,
        CrossingProblem::Undecodable {
            types: Some(types), ..
        },
    ) = (error.part, error.problem)
    else {
        panic!("{shown}");
    };
    assert_eq!(part, expected_part);
    assert!(
        types.given.contains(given) && types.expected.contains(expected),
        "{types}"
    );
    assert!(shown.contains(given) && shown.contains(expected), "{shown}");
}

/// Case 32: By name, a number of another width or sign is refused with both types named, as argument, value and error.
#[test_with(either_way, || hive_of::<Carrier>(()).processes(1))]
async fn a_number_of_another_width_is_refused_by_name(hive: Hive<Carrier>) {
    assert_eq!(hive.delegate("double", 4_u64).await, Ok(8_u64));
    are_other(
        hive.delegate::<u64>("double", 4).await,
        Part::Arguments,
        ["i32", "u64"],
    );
    are_other(
        hive.delegate::<u64>("double", 4_u32).await,
        Part::Arguments,
        ["u32", "u64"],
    );
    are_other(
        hive.delegate::<u64>("double", 4_u8).await,
        Part::Arguments,
        ["u8", "u64"],
    );
    are_other(
        hive.delegate::<u32>("double", 4_u64).await,
        Part::Value,
        ["u64", "u32"],
    );
    are_other(
        hive.delegate::<i64>("double", 4_u64).await,
        Part::Value,
        ["u64", "i64"],
    );
    are_other(
        hive.delegate::<u64>("busy_status", ()).await,
        Part::Value,
        ["f64", "u64"],
    );
    are_other(
        hive.delegate::<f64>("busy_status", 1_u8).await,
        Part::Arguments,
        ["u8", "()"],
    );
    let wrapped: Option<(i64, String)> = hive.delegate("wrap", (5_i64, "a")).await.unwrap();
    assert_eq!(wrapped, Some((5, "a".to_owned())), "a `&str` is text too");
    let wrong = hive
        .delegate::<Option<(i64, String)>>("wrap", (5_u64, "a"))
        .await;
    are_other(wrong, Part::Arguments, ["u64", "i64"]);
    let error = hive
        .delegate::<u64>("fail", true)
        .raises::<(u8, u8, u8)>()
        .await;
    are_other(error, Part::Error, ["Skipping", "(u8, u8, u8)"]);
    let error = hive
        .delegate::<u64>("fail", true)
        .raises::<Skipping>()
        .await;
    assert_eq!(error, Err(DelegateError::Raised(WHOLE)));
}

/// Case 32: Names and arguments that come from a file are read as what the task takes.
#[cfg(feature = "json")]
#[test_with(either_way, || hive_of::<Carrier>(()).processes(1))]
async fn arguments_from_a_file_are_read_as_what_the_task_takes(hive: Hive<Carrier>) {
    use serde_json::json;
    assert_eq!(hive.delegate_json("double", json!(4)).await, Ok(json!(8)));
    let wrapped = hive.delegate_json("wrap", json!([-5, "a"])).await;
    assert_eq!(wrapped, Ok(json!([-5, "a"])));
    let any = json!({"a": [1, null], "b": {}});
    assert_eq!(hive.delegate_json("same", any.clone()).await, Ok(any));
    let (part, why) = problem(hive.delegate_json("not_a_number", json!(null)).await);
    assert!(
        part == Part::Value && why.to_string().contains("NaN"),
        "{why}"
    );
    let busy = hive.delegate_json("busy_status", json!(null)).await;
    assert!(busy.is_ok_and(|busy| busy.is_f64()));
    for wrong in [
        json!(-4),
        json!("4"),
        json!([4, 4]),
        json!(4.5),
        json!(null),
    ] {
        let (part, problem) = problem(hive.delegate_json("double", wrong).await);
        assert_eq!(part, Part::Arguments);
        assert!(
            matches!(&problem, CrossingProblem::Undecodable { message, .. } if message.starts_with("u64: ")),
            "{problem:?}"
        );
    }
    // Deep enough to end this process, if anything went down there.
    let deep = (0..100_000).fold(json!(4), |deep, _| serde_json::Value::Array(vec![deep]));
    let (_, problem) = problem(hive.delegate_json("double", deep).await);
    assert!(problem.to_string().contains("nests too deep"), "{problem}");
    let unknown = hive.delegate_json("no_such", json!([1])).await;
    assert!(
        matches!(unknown, Err(DelegateError::NoSuchTask { .. })),
        "{unknown:?}"
    );
}

//! Servers and connections that fail.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mt_context::{retry::FailureClass, s3::S3Config, store::StoreErrorKind};
use mt_test_kit::watchdog;

use crate::{
    bed::{Bed, config, store},
    proxy::{Fault, Proxy},
};

/// Case C59: A server that asks for fewer requests (503 `SlowDown`) is left alone for as long as it asks, and asked again;
/// when it goes on, the error says so, with status and code.
#[tokio::test]
async fn a_server_that_throttles_is_asked_again_later() {
    let _watchdog = watchdog("throttling");
    let bed = Bed::new();
    let url = bed.url("slow");
    bed.store().await.put_object(&url, "x").await.unwrap();
    let rule = |_: &str, number| match number {
        0 => Fault::Answer(503, "Retry-After: 1\r\n", "SlowDown"),
        1 => Fault::Answer(503, "", "SlowDown"),
        _ => Fault::None,
    };
    let proxy = Proxy::start(bed.address(), rule).await;
    let began = Instant::now();
    let patient = store(&config(bed.s3(proxy.address()))).await;
    assert_eq!(patient.get_object(&url).await.unwrap(), "x");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(proxy.seen("GET").len(), 3);

    let never = |_: &str, _| Fault::Answer(503, "", "SlowDown");
    let proxy = Proxy::start(bed.address(), never).await;
    let refused = store(&config(bed.s3(proxy.address()))).await;
    let error = refused.get_object(&url).await.unwrap_err();
    assert_eq!(
        (error.kind, error.status),
        (StoreErrorKind::Throttled, Some(503))
    );
    assert_eq!(error.code.as_deref(), Some("SlowDown"));
    assert!(error.can_retry());
    assert_eq!(proxy.seen("GET").len(), 4);
}

/// Case C60: A body that is cut, again and again, is resumed from where it was, of the same object; one that has been
/// replaced meanwhile is an error, and no mixture.
#[tokio::test]
async fn a_body_that_is_cut_is_resumed() {
    const PIECE: usize = 100_000;
    let _watchdog = watchdog("resuming");
    let bed = Bed::new();
    let url = bed.url("long");
    let plain = bed.store().await;
    let body: Vec<u8> = (0..PIECE * 10).map(|n| (n * n / 7) as u8).collect();
    plain.put_object(&url, body.clone()).await.unwrap();
    let proxy = Proxy::start(bed.address(), |_, _| Fault::CutAfter(PIECE)).await;
    let cut = store(&config(bed.s3(proxy.address()))).await;
    assert_eq!(cut.get_object(&url).await.unwrap(), body);
    let resumed = proxy.seen("GET");
    assert_eq!(resumed.len(), 10);
    assert!(
        resumed[1]
            .to_lowercase()
            .contains(&format!("range: bytes={PIECE}-")),
        "{}",
        resumed[1]
    );

    let mut reader = cut.read_object(&url).await.unwrap();
    reader.next_piece().await.unwrap().unwrap();
    let other: Vec<u8> = body.iter().map(|byte| !byte).collect();
    plain.put_object(&url, other).await.unwrap();
    let error = loop {
        match reader.next_piece().await {
            Ok(piece) => assert!(piece.is_some(), "a mixture"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, StoreErrorKind::Changed, "{error}");
}

/// Case C61: Connections that are refused and answers that are lost are tried again, for all that may happen twice.
#[tokio::test]
async fn connections_that_break_are_made_again() {
    let _watchdog = watchdog("broken connections");
    let bed = Bed::new();
    let faults = |_: &str, number| match number % 3 {
        0 => Fault::Refuse,
        1 => Fault::LoseAnswer,
        _ => Fault::None,
    };
    let proxy = Proxy::start(bed.address(), faults).await;
    let store = store(&config(bed.s3(proxy.address()))).await;
    let url = bed.url("k");
    store.put_object(&url, "v").await.unwrap();
    assert_eq!(store.get_object(&url).await.unwrap(), "v");
    assert_eq!(store.list_object_info(&url).await.unwrap().size_bytes, 1);
    store.delete_object(&url).await.unwrap();
    assert_eq!(proxy.seen("").len(), 12);
}

/// Case C62: That the clocks differ, that credentials are wrong, that the server fails: each is an error of its kind, which
/// says whether to try again.
#[tokio::test]
async fn what_a_server_says_is_told_by_kind() {
    use StoreErrorKind::{AccessDenied, ClockSkew, NoSuchBucket, Server};
    let _watchdog = watchdog("kinds of errors");
    let bed = Bed::new();
    let next = Arc::new(Mutex::new(Fault::None));
    let rule = next.clone();
    let proxy = Proxy::start(bed.address(), move |_, _| rule.lock().unwrap().clone()).await;
    let store = store(&config(bed.s3(proxy.address()))).await;
    let url = bed.url("k");
    for (status, code, kind, class) in [
        (
            403,
            "RequestTimeTooSkewed",
            ClockSkew,
            FailureClass::Permanent,
        ),
        (
            403,
            "InvalidAccessKeyId",
            AccessDenied,
            FailureClass::Permanent,
        ),
        (
            403,
            "SignatureDoesNotMatch",
            AccessDenied,
            FailureClass::Permanent,
        ),
        (403, "ExpiredToken", AccessDenied, FailureClass::Permanent),
        (404, "NoSuchBucket", NoSuchBucket, FailureClass::Permanent),
        (500, "InternalError", Server, FailureClass::Server),
        (501, "NotImplemented", Server, FailureClass::Permanent),
    ] {
        *next.lock().unwrap() = Fault::Answer(status, "", code);
        let errors = [
            store.get_object(&url).await.unwrap_err(),
            store.put_object(&url, "x").await.unwrap_err(),
            store.delete_object(&url).await.unwrap_err(),
            store.list_objects(&url).unwrap().next_error().await,
        ];
        for error in errors {
            assert_eq!((error.kind, error.class), (kind, class), "{error}");
            assert_eq!(
                (error.status, error.code.as_deref()),
                (Some(status), Some(code))
            );
        }
    }
}

/// Case C63: Wrong credentials and a missing bucket are errors of the server in this process, and a missing bucket of every
/// server; neither is tried again.
#[tokio::test]
async fn wrong_credentials_and_a_missing_bucket() {
    let _watchdog = watchdog("wrong credentials");
    let bed = Bed::new();
    let proxy = Proxy::start(bed.address(), |_, _| Fault::None).await;
    let endpoint = format!("http://{}", proxy.address());
    // The other server takes any credentials.
    if bed.is_own() {
        let wrong = S3Config::keys("AKIAMIRROR", "wrong").endpoint(&endpoint);
        let wrong = store(&config(wrong)).await;
        let error = wrong.get_object(&bed.url("k")).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::AccessDenied, "{error}");
        assert_eq!(proxy.seen("").len(), 1);
    }
    let before = proxy.seen("").len();
    let store = store(&config(bed.s3(proxy.address()))).await;
    let error = store
        .get_object("s3://no-such-bucket-here/k")
        .await
        .unwrap_err();
    let is_missing = matches!(
        error.kind,
        StoreErrorKind::NoSuchBucket | StoreErrorKind::NotFound
    );
    assert!(is_missing && !error.can_retry(), "{error}");
    let error = store
        .list_objects("s3://no-such-bucket-here/")
        .unwrap()
        .next_error()
        .await;
    assert_eq!(error.kind, StoreErrorKind::NoSuchBucket, "{error}");
    assert_eq!(proxy.seen("").len(), before + 2);
}

/// The error that a listing begins with.
trait NextError {
    async fn next_error(self) -> mt_context::StoreError;
}

impl<S, T: std::fmt::Debug> NextError for S
where
    S: futures::Stream<Item = Result<T, mt_context::StoreError>> + Unpin,
{
    async fn next_error(mut self) -> mt_context::StoreError {
        futures::StreamExt::next(&mut self)
            .await
            .unwrap()
            .unwrap_err()
    }
}

//! What is tried again, and when.

use std::time::{Duration, Instant};

use mt_context::{
    http::{HttpErrorKind, HttpSession},
    limits::HostLimits,
    retry::{GiveUpReason, RetryPolicy},
};
use mt_test_kit::{assert_is, test_with};

use crate::{
    server::{Reply, Server},
    sessions::{config, in_runtime, quickly, session},
};

/// Case C38: What may pass by itself is tried again: a status of a server that has failed or is throttling, a connection that
/// breaks before or within the answer; and no other status is.
#[test_with(in_runtime)]
async fn what_may_pass_is_tried_again() {
    let server = Server::start(|asked| match (asked.target.as_str(), asked.number % 3) {
        (_, 2) => Reply::ok("at last"),
        ("/cut", 0) => Reply::ok("").header("content-length", "7").cut_after(0),
        ("/cut", _) => Reply::ok("at last").cut_after(3),
        (status, _) => Reply::new(status[1..].parse().unwrap(), "no"),
    });
    for path in ["/408", "/429", "/500", "/502", "/503", "/504", "/cut"] {
        assert_eq!(
            session().get(&server.at(path)).bytes().await.unwrap(),
            "at last",
            "{path}"
        );
    }
    let seeds = HttpSession::open(&config().retry(RetryPolicy::seed_download())).unwrap();
    let server = Server::start(|asked| Reply::new(asked.target[1..].parse().unwrap(), "no"));
    for status in [429, 500, 503] {
        let url = server.at(&format!("/{status}"));
        let error = seeds.get(&url).bytes().await.unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(status), 1));
        assert_eq!(error.gave_up(), Some(GiveUpReason::NotWorthIt));
        assert!(error.can_retry());
    }
}

/// Case C39: What is posted is sent again only where the server has surely not acted: throttled, or not reached.
#[test_with(in_runtime)]
async fn what_is_posted_is_not_sent_twice() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/cut" => Reply::ok("").header("content-length", "7").cut_after(0),
        "/throttled" if asked.number < 3 => Reply::new(429, ""),
        "/throttled" => Reply::ok(&*asked.body),
        _ => Reply::new(500, ""),
    });
    let post = session()
        .post(&server.at("/throttled"), "once")
        .send()
        .await
        .unwrap();
    assert_eq!(post.bytes().await.unwrap(), "once");
    for path in ["/cut", "/500"] {
        let before = server.asked().len();
        let sent = session().post(&server.at(path), "once").send().await;
        let error = match sent {
            Ok(answer) => answer.bytes().await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(
            (error.attempts(), server.asked().len() - before),
            (1, 1),
            "{path}: {error}"
        );
    }
    let put = session()
        .put(&server.at("/500"), "again")
        .send()
        .await
        .unwrap_err();
    assert_eq!(put.attempts(), 4);
}

/// Case C40: `Retry-After` is waited, by every request to the host; a longer one than is granted ends the attempts.
#[test_with(in_runtime)]
async fn a_server_that_asks_is_left_alone() {
    let server = Server::start(|asked| match (asked.target.as_str(), asked.number) {
        ("/", 0) => Reply::new(429, "later").header("retry-after", "1"),
        ("/longer", _) => Reply::new(429, "later").header("retry-after", "3600"),
        _ => Reply::ok("now"),
    });
    let session =
        HttpSession::open(&config().limits(HostLimits::new().remembered_hosts(99))).unwrap();
    let began = Instant::now();
    let one = session.get(&server.url).bytes().await;
    assert_eq!(one.unwrap(), "now");
    assert!(began.elapsed() >= Duration::from_secs(1));
    let error = session
        .get(&server.at("/longer"))
        .bytes()
        .await
        .unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(429), 1));
    assert_eq!(error.gave_up(), Some(GiveUpReason::RetryAfter));
    assert!(error.to_string().contains("longer pause"), "{error}");

    let began = Instant::now();
    let policy = quickly().attempts(1);
    let server = Server::start(|asked| match asked.number {
        0 => Reply::new(503, "later").header("retry-after", "1"),
        _ => Reply::ok("now"),
    });
    session
        .get(&server.url)
        .retry(policy)
        .bytes()
        .await
        .unwrap_err();
    // Another request, which has not been told anything.
    assert_eq!(session.get(&server.url).bytes().await.unwrap(), "now");
    assert!(began.elapsed() >= Duration::from_secs(1));
}

/// Case C41: The total time ends attempts: in the pause that would pass it, and in the middle of a body.
#[test_with(in_runtime)]
async fn the_total_time_ends_everything() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/503" => Reply::new(503, ""),
        _ => Reply::silent(),
    });
    let total = Duration::from_millis(300);
    let policy = RetryPolicy::new()
        .fixed_pauses([Duration::ZERO, total])
        .total(total);
    let get = |path| {
        session()
            .get(&server.at(path))
            .retry(policy.clone())
            .bytes()
    };
    let began = Instant::now();
    let error = get("/503").await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(503), 2));
    assert_eq!(error.gave_up(), Some(GiveUpReason::Total));
    let error = get("/silent").await.unwrap_err();
    assert_is!(error.kind(), HttpErrorKind::Total { .. });
    assert_eq!(error.gave_up(), Some(GiveUpReason::Total));
    assert!(began.elapsed() >= total && error.can_retry());
}

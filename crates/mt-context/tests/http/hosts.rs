//! How much a host gets.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use mt_context::{
    http::HttpSession,
    limits::{HostLimits, RateLimit},
};
use mt_test_kit::test_with;

use crate::{
    server::{Reply, Server},
    sessions::{config, in_runtime},
};

/// Case C42: Of 10,000 requests, all waiting from the beginning, a host sees never more than 8 at once, and all are answered.
#[test_with(in_runtime)]
async fn never_more_than_8_of_10_000_at_once() {
    let server = Server::start(|asked| Reply::ok(&*asked.target));
    let session = HttpSession::open(&config().limits(HostLimits::new().concurrency(8))).unwrap();
    let all = stream::iter(0..10_000).map(|number| {
        let (session, url) = (session.clone(), server.at(&format!("/{number}")));
        async move { session.get(&url).bytes().await.unwrap() == format!("/{number}") }
    });
    let all: Vec<bool> = all.buffer_unordered(10_000).collect().await;
    assert_eq!((all.len(), all.iter().all(|right| *right)), (10_000, true));
    assert_eq!(server.asked().len(), 10_000);
    let most = server.most_at_once();
    assert!((2..=8).contains(&most), "{most}");
}

/// Case C43: A request counts until its body has come, or is dropped, and one that is redirected counts where it leads.
#[test_with(in_runtime)]
async fn a_request_counts_until_its_body_has_come() {
    let other = Server::start(|_| Reply::ok("there"));
    let elsewhere = other.url.clone();
    let server = Server::start(move |asked| match asked.target.as_str() {
        "/away" => Reply::new(302, "").header("location", &elsewhere),
        _ => Reply::ok("here"),
    });
    let session = HttpSession::open(&config().limits(HostLimits::new().concurrency(1))).unwrap();
    let open = session.get(&server.url).send().await.unwrap();
    let mut waits = Box::pin(session.get(&server.url).bytes());
    let soon = Duration::from_millis(50);
    assert!(tokio::time::timeout(soon, &mut waits).await.is_err());
    assert_eq!(open.bytes().await.unwrap(), "here");
    assert_eq!(waits.await.unwrap(), "here");

    let away = session.get(&server.at("/away")).send().await.unwrap();
    assert_eq!(session.get(&server.url).bytes().await.unwrap(), "here");
    let mut waits = Box::pin(session.get(&other.url).bytes());
    assert!(tokio::time::timeout(soon, &mut waits).await.is_err());
    drop(away);
    assert_eq!(waits.await.unwrap(), "there");
}

/// Case C44: Requests to a host begin no faster than its rate, also those that are tried again.
#[test_with(in_runtime)]
async fn a_rate_holds_for_attempts() {
    let server = Server::start(|asked| match asked.number % 2 {
        0 => Reply::new(503, ""),
        _ => Reply::ok("at last"),
    });
    let rate = RateLimit::new(1, Duration::from_millis(20));
    let session = HttpSession::open(&config().limits(HostLimits::new().rate(rate))).unwrap();
    let began = Instant::now();
    for _ in 0..10 {
        session.get(&server.url).bytes().await.unwrap();
    }
    assert_eq!(server.asked().len(), 20);
    assert!(began.elapsed() >= Duration::from_millis(19 * 20));
}

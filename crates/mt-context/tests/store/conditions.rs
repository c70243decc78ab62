//! Puts that are done only if something is so.

use futures::future::join_all;
use mt_context::store::{Put, StoreErrorKind};
use mt_test_kit::watchdog;

use crate::{
    bed::{Bed, config, store},
    proxy::{Fault, Proxy},
};

/// Case C57: Of eight that put an object at once if there is none, one succeeds, and the object is that one's.
#[tokio::test]
async fn one_of_many_puts_what_is_not_there() {
    let _watchdog = watchdog("one of many");
    let bed = Bed::new();
    let proxy = Proxy::start(bed.address(), |_, _| Fault::None).await;
    let store = store(&config(bed.s3(proxy.address()))).await;
    let url = bed.url("once");
    let puts = (0..8).map(|n| store.put_object_if(&url, n.to_string(), Put::IfAbsent));
    let outcomes = join_all(puts).await;
    let winners: Vec<usize> = (0..8).filter(|&n| outcomes[n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind, StoreErrorKind::Precondition, "{error}");
        assert!(!error.can_retry() && !error.is_ambiguous());
    }
    assert_eq!(
        store.get_object(&url).await.unwrap(),
        winners[0].to_string()
    );
}

/// Case C58: A put whose answer is lost is sent again, unless it has a condition: then the error says that it may have been
/// done, and it is not sent again.
#[tokio::test]
async fn an_ambiguous_put_with_a_condition_is_not_sent_again() {
    let _watchdog = watchdog("ambiguous puts");
    let bed = Bed::new();
    let rule = |head: &str, _: usize| match head.starts_with("PUT") && !head.contains("/other") {
        true => Fault::LoseAnswer,
        false => Fault::None,
    };
    let proxy = Proxy::start(bed.address(), rule).await;
    let store = store(&config(bed.s3(proxy.address()))).await;
    let url = bed.url("once");
    let error = store
        .put_object_if(&url, "mine", Put::IfAbsent)
        .await
        .unwrap_err();
    assert!(error.is_ambiguous() && error.can_retry(), "{error:?}");
    assert_eq!(error.kind, StoreErrorKind::Connection);
    assert_eq!(proxy.seen("PUT").len(), 1);
    assert_eq!(store.get_object(&url).await.unwrap(), "mine");
    let error = store.put_object(&url, "again").await.unwrap_err();
    assert!(error.to_string().contains("after 4 attempts"), "{error}");
    assert_eq!(proxy.seen("PUT").len(), 5);
    store.put_object(&bed.url("other"), "x").await.unwrap();
}

//! How much a server and a file are asked for at once.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use mt_context::{
    ContextConfig, Store,
    limits::HostLimits,
    retry::RetryPolicy,
    store::{StoreConfig, StoreErrorKind},
};
use mt_test_kit::{Folder, watchdog};
use tokio::sync::mpsc;

use crate::{
    bed::{Bed, store},
    proxy::{Fault, Proxy},
};

async fn limited(bed: &Bed, proxy: &Proxy, limits: HostLimits) -> Store {
    let config = StoreConfig::new()
        .s3(bed.s3(proxy.address()))
        .retry(RetryPolicy::new().attempts(4).pauses_ms(1, 20))
        .limits(limits);
    store(&ContextConfig::new().store(config)).await
}

/// Case C78: Of 200 gets at once the server sees no more than the limit at any time, and all are answered.
#[tokio::test]
async fn a_server_gets_no_more_at_once_than_its_limit() {
    let _watchdog = watchdog("a limit of requests");
    let bed = Bed::new();
    let url = bed.url("k");
    bed.store().await.put_object(&url, "v").await.unwrap();
    let proxy = Proxy::start(bed.address(), |_, _| Fault::None).await;
    let store = limited(&bed, &proxy, HostLimits::new().concurrency(4)).await;
    let gets = stream::iter(0..200).map(|_| async { store.get_object(&url).await.unwrap() });
    let bodies: Vec<_> = gets.buffer_unordered(200).collect().await;
    assert!(bodies.len() == 200 && bodies.iter().all(|body| body == "v"));
    assert_eq!(proxy.seen("GET").len(), 200);
    let most = proxy.most_at_once();
    assert!((2..=4).contains(&most), "{most}");
}

/// Case C79: A server that has asked one request to come later is asked by no other either until then.
#[tokio::test]
async fn a_server_that_throttles_one_request_is_left_alone_by_all() {
    let _watchdog = watchdog("throttling for all");
    let bed = Bed::new();
    let url = bed.url("k");
    bed.store().await.put_object(&url, "v").await.unwrap();
    let (refused, mut was_refused) = mpsc::unbounded_channel();
    let rule = move |_: &str, number| match number {
        0 => {
            refused.send(Instant::now()).unwrap();
            Fault::Answer(503, "Retry-After: 1\r\n", "SlowDown")
        }
        _ => Fault::None,
    };
    let proxy = Proxy::start(bed.address(), rule).await;
    let store = limited(&bed, &proxy, HostLimits::new().concurrency(1)).await;
    // The second waits for its turn while the first is refused.
    let both = futures::join!(store.get_object(&url), store.get_object(&url));
    assert_eq!((both.0.unwrap(), both.1.unwrap()), ("v".into(), "v".into()));
    let refused = was_refused.recv().await.unwrap();
    assert!(refused.elapsed() >= Duration::from_secs(1));
    assert_eq!(proxy.seen("GET").len(), 3);
}

/// Case C80: A file that is being written by one is refused to another, which can try again; what the first writes is
/// whole.
#[tokio::test]
async fn a_file_is_written_by_one_at_a_time() {
    const BYTES: usize = 20 << 20;
    let _watchdog = watchdog("two of one file");
    let bed = Bed::new();
    let url = bed.url("k");
    let store = bed.store().await;
    store.put_object(&url, vec![7; BYTES]).await.unwrap();
    let folder = Folder::temp();
    let path = folder.file("whole");
    let (told, mut begun) = mpsc::unbounded_channel();
    let telling = store.with_progress(move |_| told.send(()).unwrap());
    let mut first = pin!(telling.get_object_to_file(&url, &path));
    tokio::select! {
        _ = &mut first => panic!("all of it at once"),
        told = begun.recv() => told.unwrap(),
    }
    let error = store.get_object_to_file(&url, &path).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Busy, "{error}");
    assert!(error.can_retry() && !path.exists());
    first.await.unwrap();
    let whole = std::fs::read(&path).unwrap();
    assert!(whole.len() == BYTES && whole.iter().all(|byte| *byte == 7));
    store.get_object_to_file(&url, &path).await.unwrap();
}

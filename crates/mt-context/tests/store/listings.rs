//! What listings give, and which names keys may have.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use futures::{StreamExt, TryStreamExt, stream};
use mt_context::{Store, StoreError, store::StoreErrorKind};
use mt_test_kit::watchdog;

use crate::{
    bed::{Bed, config, store},
    proxy::{Fault, Proxy},
};

/// Names that something on the way may take for something else.
const NAMES: [&str; 12] = [
    "a b",
    "a+b",
    "50%25 off",
    "%41",
    "é/ü ñ",
    "日本/語.txt",
    "a&b<c>'\"",
    "~tilde",
    "a=b?c#d",
    "semi;colon,comma@:",
    "[x]{y}|z^",
    "*star!$()",
];

async fn listed(store: &Store, url: &str) -> Result<BTreeSet<String>, StoreError> {
    let infos = store.list_objects(url)?;
    infos.map_ok(|info| info.url).try_collect().await
}

async fn put_all(store: &Store, urls: impl IntoIterator<Item = String>) {
    let puts = urls
        .into_iter()
        .map(|url| async move { store.put_object(&url, url.clone()).await });
    let mut puts = stream::iter(puts).buffer_unordered(16);
    while let Some(put) = puts.next().await {
        put.unwrap();
    }
}

/// Case C54: Keys with spaces, `+`, `%`, letters of any alphabet and signs of XML and URLs are stored as they are written,
/// by the server's own account, and are listed, looked at, got and deleted as such.
#[tokio::test]
async fn keys_are_stored_as_they_are_written() {
    let _watchdog = watchdog("keys");
    let bed = Bed::new();
    let store = bed.store().await;
    let urls: BTreeSet<String> = NAMES.iter().map(|name| bed.url(name)).collect();
    put_all(&store, urls.clone()).await;
    let stored: BTreeSet<String> = bed.stored_keys().into_iter().collect();
    assert_eq!(stored, NAMES.iter().map(|&name| name.to_owned()).collect());
    assert_eq!(listed(&store, &bed.url("")).await.unwrap(), urls);
    for url in &urls {
        assert_eq!(store.get_object(url).await.unwrap(), url);
        let info = store.list_object_info(url).await.unwrap();
        assert_eq!((&info.url, info.size_bytes), (url, url.len() as u64));
        assert_eq!(
            listed(&store, url).await.unwrap(),
            BTreeSet::from([url.clone()])
        );
        store.delete_object(url).await.unwrap();
        let gone = store.list_object_info(url).await.unwrap_err();
        assert_eq!(gone.kind, StoreErrorKind::NotFound, "{gone}");
    }
    assert!(listed(&store, &bed.url("")).await.unwrap().is_empty());
}

/// Case C55: A listing of more than 1,000 objects comes page by page, as it is asked for, with each object once; a prefix is
/// any beginning of a key; recent ones are those since a time.
#[tokio::test]
async fn listings_come_in_pages() {
    const OBJECTS: usize = 1234;
    let _watchdog = watchdog("pages");
    let bed = Bed::new();
    let proxy = Proxy::start(bed.address(), |_, _| Fault::None).await;
    let plain = bed.store().await;
    let urls: BTreeSet<String> = (0..OBJECTS)
        .map(|n| bed.url(&format!("many/{n:05}")))
        .collect();
    put_all(&plain, urls.clone()).await;
    put_all(&plain, [bed.url("man"), bed.url("many-others")]).await;

    let store = store(&config(bed.s3(proxy.address()))).await;
    let url = bed.url("many/");
    let mut infos = store.list_objects(&url).unwrap();
    let first = infos.next().await.unwrap().unwrap();
    assert_eq!(first.url, bed.url("many/00000"));
    assert_eq!(proxy.seen("GET").len(), 1);
    drop(infos);
    assert_eq!(listed(&store, &url).await.unwrap(), urls);
    assert_eq!(proxy.seen("GET").len(), 3);
    assert_eq!(
        listed(&store, &bed.url("man")).await.unwrap().len(),
        OBJECTS + 2
    );
    assert_eq!(
        listed(&store, &bed.url("many/0012")).await.unwrap().len(),
        10
    );
    assert!(listed(&store, &bed.url("none")).await.unwrap().is_empty());

    let since = |at| {
        let infos = store.list_recent_objects(&url, at).unwrap();
        infos.try_collect::<Vec<_>>()
    };
    assert_eq!(since(SystemTime::UNIX_EPOCH).await.unwrap().len(), OBJECTS);
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    assert!(since(tomorrow).await.unwrap().is_empty());
}

/// Case C56: A key that can't be used is refused with its address, before anything is sent.
#[tokio::test]
async fn keys_that_cant_be_used_are_refused() {
    let bed = Bed::new();
    let store = bed.store().await;
    for key in ["a//b", "/a", "a/", "a/../b", "."] {
        let url = bed.url(key);
        let error = store.put_object(&url, "x").await.unwrap_err();
        assert_eq!((error.kind, &error.url), (StoreErrorKind::BadAddress, &url));
    }
    assert!(bed.stored_keys().is_empty());
}

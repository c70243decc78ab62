//! The same helpers for files and memory.

use futures::TryStreamExt;
use mt_context::{
    ContextConfig, StoreError,
    store::{Put, StoreErrorKind},
};
use mt_test_kit::Folder;

use crate::bed::store;

/// Case C68: Files and memory have the same helpers, with the same outcomes.
#[tokio::test]
async fn files_and_memory_are_stores_too() {
    let folder = Folder::temp();
    let store = store(&ContextConfig::new()).await;
    for base in [
        format!("file://{}", folder.path().display()),
        "memory://local".to_owned(),
    ] {
        let url = |key: &str| format!("{base}/{key}");
        let names = ["d/a b%+é", "d/b", "db"];
        for name in names {
            store.put_object(&url(name), name).await.unwrap();
            assert_eq!(store.get_object(&url(name)).await.unwrap(), name);
        }
        let list = |prefix: &str| {
            store
                .list_objects(&url(prefix))
                .unwrap()
                .map_ok(|info| info.url)
                .try_collect()
        };
        let mut all: Vec<String> = list("d").await.unwrap();
        all.sort();
        assert_eq!(all, names.map(url));
        let few: Vec<String> = list("d/b").await.unwrap();
        assert_eq!(few, [url("d/b")]);
        let none: Result<Vec<String>, StoreError> = list("x/").await;
        assert!(none.unwrap().is_empty());
        let error = store
            .put_object_if(&url("db"), "2", Put::IfAbsent)
            .await
            .unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Precondition, "{error}");
        store.delete_object(&url("db")).await.unwrap();
        let error = store.get_object(&url("db")).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::NotFound, "{error}");
    }
    let error = store.get_object("s3://b/k").await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::NotConfigured, "{error}");
}

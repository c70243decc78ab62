//! Bodies of any size, one way and the other.

use std::{
    fs, io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use mt_context::store::{StoreErrorKind, Transfer};
use mt_test_kit::{Folder, watchdog};

use crate::{
    bed::{Bed, config, store},
    proxy::{Fault, Proxy},
};

const MIB: usize = 1 << 20;

/// So many bytes that say where they are.
fn body(length: usize) -> Bytes {
    (0..length)
        .map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8)
        .collect()
}

/// Case C64: Bodies from nothing to several parts arrive as they were, from memory, from files and from streams, and come back
/// whole, piece by piece, and as files.
#[tokio::test]
async fn bodies_of_any_size_go_there_and_back() {
    let _watchdog = watchdog("bodies");
    let bed = Bed::new();
    let store = bed.store().await;
    let folder = Folder::temp();
    for length in [0, 1, 5 * MIB, 5 * MIB + 1, 12 * MIB] {
        let body = body(length);
        let [memory, file, pieces] =
            ["memory", "file", "pieces"].map(|name| bed.url(&format!("{name}/{length}")));
        store.put_object(&memory, body.clone()).await.unwrap();
        fs::write(folder.file("in"), &body).unwrap();
        store.put_file(folder.file("in"), &file).await.unwrap();
        let chunks: Vec<_> = body
            .chunks(700_001)
            .map(|it| Ok(Bytes::copy_from_slice(it)))
            .collect();
        store
            .put_stream(&pieces, stream::iter(chunks))
            .await
            .unwrap();
        for url in [memory, file, pieces] {
            assert!(store.get_object(&url).await.unwrap() == body, "{url}");
            let read: Vec<Bytes> = store
                .read_object(&url)
                .await
                .unwrap()
                .into_stream()
                .try_collect()
                .await
                .unwrap();
            assert!(read.concat() == body, "{url}");
            let info = store
                .get_object_to_file(&url, folder.file("out"))
                .await
                .unwrap();
            assert_eq!(info.size_bytes, length as u64);
            assert!(fs::read(folder.file("out")).unwrap() == body, "{url}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// Case C65: Parts that fail are sent again; an upload that fails for good leaves nothing, or what was there before, and is
/// aborted.
#[tokio::test]
async fn an_upload_is_whole_or_nothing() {
    let _watchdog = watchdog("uploads");
    let bed = Bed::new();
    let url = bed.url("parts");
    let again = |head: &str, number: usize| match head.contains("partNumber=")
        && number.is_multiple_of(2)
    {
        true => Fault::Answer(500, "", "InternalError"),
        false => Fault::None,
    };
    let proxy = Proxy::start(bed.address(), again).await;
    let shaky = store(&config(bed.s3(proxy.address()))).await;
    let first = body(11 * MIB);
    shaky.put_object(&url, first.clone()).await.unwrap();
    assert!(shaky.get_object(&url).await.unwrap() == first);

    let third = |head: &str, _: usize| match head.contains("partNumber=3") {
        true => Fault::Answer(403, "", "AccessDenied"),
        false => Fault::None,
    };
    let proxy = Proxy::start(bed.address(), third).await;
    let broken = store(&config(bed.s3(proxy.address()))).await;
    let error = broken.put_object(&url, body(12 * MIB)).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::AccessDenied, "{error}");
    assert_eq!(proxy.seen("DELETE").len(), 1);
    assert!(shaky.get_object(&url).await.unwrap() == first);

    let breaks = stream::iter([Ok(body(6 * MIB)), Err(io::Error::other("no more"))]);
    let error = broken
        .put_stream(&bed.url("stream"), breaks)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.problem.as_str()),
        (StoreErrorKind::File, "no more")
    );
    let missing = broken
        .list_object_info(&bed.url("stream"))
        .await
        .unwrap_err();
    assert_eq!(missing.kind, StoreErrorKind::NotFound);
}

/// Case C66: What is put and got tells how far it is: bytes up to the body's length, and the object at the end.
#[tokio::test]
async fn transfers_tell_how_far_they_are() {
    let _watchdog = watchdog("progress");
    let bed = Bed::new();
    let told = Arc::<Mutex<Vec<Transfer>>>::default();
    let list = told.clone();
    let store = bed
        .store()
        .await
        .with_progress(move |transfer| list.lock().unwrap().push(transfer.clone()));
    let (url, length) = (bed.url("big"), 12 * MIB);
    let take = || std::mem::take(&mut *told.lock().unwrap());
    store.put_object(&url, body(length)).await.unwrap();
    let put = take();
    store.get_object(&url).await.unwrap();
    let got = take();
    for transfers in [put, got] {
        assert!(transfers.len() > 3 && transfers.is_sorted_by_key(|it| it.done_bytes));
        let last = transfers.last().unwrap();
        let end = (last.done_bytes, last.total_bytes, last.objects);
        assert_eq!(end, (length as u64, Some(length as u64), 1));
        assert!(transfers.iter().all(|it| it.url == url));
    }
    let all: Vec<_> = store.list_objects(&bed.url("")).unwrap().collect().await;
    assert_eq!(take().len(), all.len());
}

/// Case C67: Files are put below an address, several at once, and what became of each is told in their order.
#[tokio::test]
async fn files_are_put_together() {
    let _watchdog = watchdog("put_files");
    let bed = Bed::new();
    let store = bed.store().await;
    let folder = Folder::temp();
    let names: Vec<String> = (0..20).map(|n| format!("{n}.txt")).collect();
    for name in names.iter().filter(|name| *name != "7.txt") {
        fs::write(folder.file(name), name).unwrap();
    }
    let files = names.iter().map(|name| (folder.file(name), name));
    let outcomes = store.put_files(&bed.url("all/"), files).await;
    for (name, (url, put)) in names.iter().zip(outcomes) {
        assert_eq!(url, bed.url(&format!("all/{name}")));
        match put {
            Ok(_) => assert_eq!(store.get_object(&url).await.unwrap(), name),
            Err(error) => {
                assert_eq!((name.as_str(), error.kind), ("7.txt", StoreErrorKind::File));
                assert_eq!(error.url, folder.file("7.txt").display().to_string());
            }
        }
    }
    assert_eq!(bed.stored_keys().len(), 19);
}

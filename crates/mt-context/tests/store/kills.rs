//! Workers that are killed in the middle of a transfer.

use std::fs;

use bytes::Bytes;
use futures::stream;
use mt_context::{ContextVars, store::StoreErrorKind};
use mt_pool::{asyn_pmap, task};
use mt_test_kit::{Folder, Signal, signal, test_with, watchdog};

use crate::{alone, bed::Bed};

const PART: usize = 5 << 20;

/// The part of the body that all of its bytes name.
fn part(number: u8) -> Bytes {
    vec![number; PART].into()
}

/// Kills this process, the first time.
fn die_once(folder: &Folder) {
    if folder.first("has died") {
        signal(std::process::id(), Signal::KILL);
    }
}

#[task]
async fn upload(
    #[context] vars: &ContextVars,
    #[shared] folder: &Folder,
    url: String,
) -> Result<(), String> {
    let folder = folder.clone();
    let store = vars.s3_client().with_progress(move |transfer| {
        if transfer.done_bytes >= 2 * PART as u64 {
            die_once(&folder);
        }
    });
    let parts = stream::iter((0..4).map(part).map(Ok));
    store
        .put_stream(&url, parts)
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

#[task]
async fn download(
    #[context] vars: &ContextVars,
    #[shared] folder: &Folder,
    url: String,
) -> Result<u64, String> {
    let (death, into) = (folder.clone(), folder.file("whole"));
    let store = vars.s3_client().with_progress(move |transfer| {
        if transfer.done_bytes >= 2 * PART as u64 {
            die_once(&death);
        }
    });
    let got = store.get_object_to_file(&url, into).await;
    got.map(|info| info.size_bytes)
        .map_err(|error| error.to_string())
}

/// What a run of one item comes to, that may cost so many workers.
fn run<T>(bed: &Bed, folder: &Folder, crash_limit: u32) -> Result<T::Output, String>
where
    T: mt_pool::Task<Input = String, Context = ContextVars, Shared = Folder, Error = String>,
{
    let run = asyn_pmap::<T>([bed.url("object")])
        .context(bed.config())
        .shared(folder.clone());
    let run = run.processes(1).crash_limit(crash_limit).start().unwrap();
    let mut outcomes = run
        .into_iter()
        .map(|outcome| outcome.map_err(|error| error.to_string()));
    outcomes.next().unwrap()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// Case C72: A worker that is killed in the middle of an upload leaves no object, and one that was there before as it was;
/// tried again, the object is whole.
#[test_with(alone)]
fn an_upload_that_is_killed_is_no_object() {
    let _watchdog = watchdog("killed upload");
    let bed = Bed::new();
    let url = bed.url("object");
    let folder = Folder::temp();
    let lost = run::<upload>(&bed, &folder, 1).unwrap_err();
    assert!(lost.contains("SIGKILL"), "{lost}");
    block_on(async {
        let missing = bed.store().await.list_object_info(&url).await.unwrap_err();
        assert_eq!(missing.kind, StoreErrorKind::NotFound);
        bed.store().await.put_object(&url, "before").await.unwrap();
    });
    fs::remove_file(folder.file("has died")).unwrap();
    run::<upload>(&bed, &folder, 1).unwrap_err();
    let before = block_on(async { bed.store().await.get_object(&url).await });
    assert_eq!(before.unwrap(), "before");
    fs::remove_file(folder.file("has died")).unwrap();
    run::<upload>(&bed, &folder, 3).unwrap();
    let whole = block_on(async { bed.store().await.get_object(&url).await }).unwrap();
    assert!(whole.chunks(PART).eq((0..4).map(part)));
}

/// Case C73: A worker that is killed in the middle of a download leaves no file under the final name; tried again, it is
/// whole.
#[test_with(alone)]
fn a_download_that_is_killed_is_no_file() {
    let _watchdog = watchdog("killed download");
    let bed = Bed::new();
    let url = bed.url("object");
    block_on(async {
        let parts = stream::iter((0..4).map(part).map(Ok));
        bed.store().await.put_stream(&url, parts).await.unwrap();
    });
    let folder = Folder::temp();
    let lost = run::<download>(&bed, &folder, 1).unwrap_err();
    assert!(lost.contains("SIGKILL"), "{lost}");
    assert!(!folder.exists("whole"));
    let names = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().file_name());
    let parts = names.filter(|name| name.to_string_lossy().ends_with(".part"));
    assert_eq!(parts.count(), 1);
    fs::remove_file(folder.file("has died")).unwrap();
    assert_eq!(run::<download>(&bed, &folder, 3).unwrap(), 4 * PART as u64);
    let whole = fs::read(folder.file("whole")).unwrap();
    assert!(whole.chunks(PART).eq((0..4).map(part)));
}

//! Downloads to files.

use std::{fs, sync::Arc};

use futures::FutureExt;
use mt_context::http::HttpErrorKind;
use mt_test_kit::{Folder, assert_is, test_with, wait_until};
use tokio::sync::Notify;

use crate::{
    server::{Reply, Server},
    sessions::{in_runtime, kind, once, session},
};

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// Case C45: A file has its name when all of it is there and takes the place of what had it; whatever fails leaves that as
/// it was, and nothing else.
#[test_with(in_runtime)]
async fn a_file_has_its_name_when_it_is_whole() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/404" => Reply::new(404, "no such thing"),
        "/cut" => Reply::ok("half of it").cut_after(5),
        "/large" => Reply::ok(vec![7; 3 << 20]),
        "/empty" => Reply::ok(""),
        _ => Reply::ok("new"),
    });
    let folder = Folder::temp();
    let file = folder.file("a");
    fs::write(&file, "old").unwrap();
    let get = |path| once().get(&server.at(path));
    for (request, wrong) in [
        (get("/404"), HttpErrorKind::Status { status: 404 }),
        (get("/empty").refuse_empty(), HttpErrorKind::Empty),
        (
            get("/large").body_limit_bytes(1000),
            HttpErrorKind::TooLarge { limit_bytes: 1000 },
        ),
    ] {
        assert_eq!(kind(request.download(&file).await), wrong);
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }
    assert_is!(
        kind(get("/cut").download(&file).await),
        HttpErrorKind::Cut { .. }
    );
    assert_eq!(
        (names(&folder), fs::read(&file).unwrap()),
        (vec!["a".to_owned()], b"old".to_vec())
    );
    for (request, bytes) in [
        (get("/new"), 3),
        (get("/empty"), 0),
        (get("/large").sync(false), 3 << 20),
    ] {
        assert_eq!(request.download(&file).await.unwrap().bytes, bytes);
        assert_eq!(fs::metadata(&file).unwrap().len(), bytes);
    }
    assert_eq!(names(&folder), ["a"]);
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.header("accept-encoding") == Some("identity"))
    );
}

/// Case C46: A file that can't be written is an error that names it, before anything is asked for.
#[test_with(in_runtime)]
async fn a_file_that_can_not_be_written_is_an_error() {
    let server = Server::start(|_| Reply::ok("new"));
    let folder = Folder::temp();
    let missing = folder.file("missing").join("a");
    for path in [missing.as_path(), "/".as_ref(), "..".as_ref()] {
        let saved = session().get(&server.url).download(path).await;
        assert_is!(kind(saved), HttpErrorKind::File { path: named, .. } if *named == path.display().to_string());
    }
    assert!(server.asked().is_empty());
    // What can't be replaced is found out last: a folder.
    fs::create_dir_all(folder.file("b").join("c")).unwrap();
    let saved = session().get(&server.url).download(folder.file("b")).await;
    assert_is!(kind(saved), HttpErrorKind::File { .. });
    assert_eq!(names(&folder), ["b"]);
}

/// Case C47: Of two downloads to one file the second is refused while the first runs; a download that is dropped leaves
/// nothing.
#[test_with(in_runtime)]
async fn two_downloads_to_one_file_do_not_mix() {
    let go_on = Arc::new(Notify::new());
    let until = go_on.clone();
    let server = Server::start(move |asked| match asked.target.as_str() {
        "/slow" => Reply::ok("slow").hang_after(2, &until),
        _ => Reply::ok("quick"),
    });
    let folder = Folder::temp();
    let file = folder.file("a");
    let first = tokio::spawn(session().get(&server.at("/slow")).download(file.clone()));
    server.wait_for(1).await;
    let second = session().get(&server.at("/quick")).download(&file).await;
    assert_is!(kind(second), HttpErrorKind::Busy { .. });
    go_on.notify_one();
    assert_eq!(first.await.unwrap().unwrap().bytes, 4);
    assert_eq!(fs::read(&file).unwrap(), b"slow");

    let dropped = tokio::spawn(session().get(&server.at("/slow")).download(file.clone()));
    server.wait_for(2).await;
    assert_eq!(names(&folder), [".a.part", "a"]);
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    wait_until(|| names(&folder) == ["a"]);
    for _ in 0..100 {
        // Dropped while its file is being made.
        let download = session().get(&server.at("/quick")).download(&file);
        drop(download.now_or_never());
    }
    session()
        .get(&server.at("/quick"))
        .download(&file)
        .await
        .unwrap();
    assert_eq!(
        (names(&folder), fs::read(&file).unwrap()),
        (vec!["a".to_owned()], b"quick".to_vec())
    );
}

/// Case C48: Many downloads to the same few files at once, some of them dropped: each file is one body, whole.
#[test_with(in_runtime)]
async fn files_that_many_download_to_are_whole() {
    let server = Server::start(|asked| Reply::ok(asked.target.repeat(20_000)).in_pieces(10_000));
    let folder = Folder::temp();
    let session = session();
    let downloads = (0..200).map(|number| {
        let request = session
            .get(&server.at(&format!("/{number:03}")))
            .sync(false);
        let download = request.download(folder.file(&(number % 5).to_string()));
        async move {
            if number % 4 == 0 {
                let soon = std::time::Duration::from_millis(number % 50);
                let _ = tokio::time::timeout(soon, download).await;
            } else if let Err(error) = download.await {
                assert_is!(error.kind(), HttpErrorKind::Busy { .. });
            }
        }
    });
    futures::future::join_all(downloads).await;
    wait_until(|| names(&folder).iter().all(|name| name.len() == 1));
    assert!(!names(&folder).is_empty());
    for name in names(&folder) {
        let text = fs::read_to_string(folder.file(&name)).unwrap();
        assert_eq!(text, text[..4].repeat(20_000), "{name}");
    }
}

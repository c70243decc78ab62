//! Bodies that break off, and go on.

use std::sync::{Arc, Mutex};

use futures::TryStreamExt;
use mt_context::http::{BodyProgress, HttpErrorKind};
use mt_test_kit::{Folder, assert_is, test_with};

use crate::{
    server::{Asked, Reply, Server},
    sessions::{in_runtime, kind, once, session},
};

const KIB: usize = 1024;

fn text() -> Vec<u8> {
    (0..100_000_u32).flat_map(u32::to_le_bytes).collect()
}

/// A server that sends at most so much at a time, of this body.
fn cutting(bytes: usize, reply: impl Fn(&Asked, &[u8]) -> Reply + Send + Sync + 'static) -> Server {
    let body = text();
    Server::start(move |asked| {
        let left = body.len() - asked.range().unwrap_or(0);
        let reply = reply(asked, &body);
        if left > bytes {
            reply.cut_after(bytes)
        } else {
            reply
        }
    })
}

/// Case C29: A body that breaks off is resumed where it did, by its tag, in memory, as a stream and to a file; as long as
/// something comes it may break off as often as it likes.
#[test_with(in_runtime)]
async fn a_body_that_breaks_off_is_resumed() {
    let server = cutting(70 * KIB, |asked, body| Reply::part(asked, body, "\"1\""));
    let folder = Folder::temp();
    let stream = session().get(&server.url).stream().await.unwrap();
    assert_eq!(
        stream.try_collect::<Vec<_>>().await.unwrap().concat(),
        text()
    );
    let saved = session()
        .get(&server.url)
        .download(folder.file("a"))
        .await
        .unwrap();
    // The session has four attempts, and this took more.
    assert_eq!((saved.bytes, saved.attempts), (400_000, 6));
    assert_eq!(saved.etag.as_deref(), Some("\"1\""));
    assert_eq!(std::fs::read(folder.file("a")).unwrap(), text());
    let asked = server.asked();
    let ranges: Vec<_> = asked[6..].iter().map(Asked::range).collect();
    let resumed = (1..6).map(|part| Some(part * 70 * KIB));
    assert_eq!(
        ranges,
        [None].into_iter().chain(resumed).collect::<Vec<_>>()
    );
    assert!(
        asked[7..]
            .iter()
            .all(|asked| asked.header("if-range") == Some("\"1\""))
    );

    let server = cutting(150 * KIB, |asked, body| Reply::part(asked, body, "\"1\""));
    assert_eq!(session().get(&server.url).bytes().await.unwrap(), text());
    assert_eq!(server.asked().len(), 3);
}

/// Case C30: What is compressed is resumed too.
#[test_with(in_runtime)]
async fn a_compressed_body_is_resumed() {
    let body = Reply::gzip(&text(), 1).into_body();
    let half = body.len() / 2;
    let server = Server::start(move |asked| {
        let reply = Reply::part(asked, &body, "\"1\"").header("content-encoding", "gzip");
        if asked.number == 0 {
            reply.cut_after(half)
        } else {
            reply
        }
    });
    assert_eq!(session().get(&server.url).bytes().await.unwrap(), text());
    assert_eq!(server.asked()[1].range(), Some(half));
}

/// Case C31: A body that has changed since it broke off is never put together of both: it comes anew, or is an error for who
/// has read of it already.
#[test_with(in_runtime)]
async fn a_body_that_has_changed_is_not_put_together_of_two() {
    let (old, new) = (text(), [b"new".as_slice(), &text()].concat());
    let (before, after) = (old.clone(), new.clone());
    let server = Server::start(move |asked| match asked.range() {
        None if asked.header("if-range").is_none() => {
            Reply::part(asked, &before, "\"1\"").cut_after(9 * KIB)
        }
        _ => Reply::part(asked, &after, "\"2\""),
    });
    let folder = Folder::temp();
    session()
        .get(&server.url)
        .download(folder.file("a"))
        .await
        .unwrap();
    assert_eq!(std::fs::read(folder.file("a")).unwrap(), new);
    assert_eq!(session().get(&server.url).bytes().await.unwrap(), new);
    let stream = session().get(&server.url).stream().await.unwrap();
    let error = stream.try_collect::<Vec<_>>().await.unwrap_err();
    assert_is!(
        error.kind(),
        HttpErrorKind::Changed {
            received_bytes: 9216
        }
    );
    assert!(error.can_retry());
}

/// Case C32: A part that is not the one that was asked for is not taken: another place, length, version or compression.
#[test_with(in_runtime)]
async fn a_part_that_is_not_the_one_is_not_taken() {
    type Wrong = fn(Reply) -> Reply;
    let wrongs: [Wrong; 5] = [
        |part| part.header("content-range", "bytes 0-399999/400000"),
        |part| part.header("content-range", "bytes 9216-499999/500000"),
        |part| part.header("content-range", "nonsense"),
        |part| {
            part.header("content-range", "bytes 9216-399999/400000")
                .header("etag", "\"2\"")
        },
        |part| {
            part.header("content-range", "bytes 9216-399999/400000")
                .header("content-encoding", "gzip")
        },
    ];
    for wrong in wrongs {
        let body = text();
        let server = Server::start(move |asked| match asked.range() {
            Some(from) => wrong(Reply::new(206, &body[from..])),
            // The second time all of it is asked for, it comes.
            None if asked.number > 0 => Reply::ok(&*body),
            None => Reply::part(asked, &body, "\"1\"").cut_after(9 * KIB),
        });
        assert_eq!(session().get(&server.url).bytes().await.unwrap(), text());
        let asked = server.asked();
        assert_eq!(
            asked.iter().map(Asked::range).collect::<Vec<_>>(),
            [None, Some(9216), None]
        );
    }
}

/// Case C33: Without a tag a body that breaks off comes anew, and is an error for who has read of it already.
#[test_with(in_runtime)]
async fn a_body_that_can_not_be_resumed_comes_anew() {
    let body = text();
    let server = Server::start(move |asked| {
        let reply = Reply::ok(&*body).header("etag", "W/\"1\"");
        if asked.number % 2 == 0 {
            reply.cut_after(9 * KIB)
        } else {
            reply
        }
    });
    assert_eq!(session().get(&server.url).bytes().await.unwrap(), text());
    let stream = session().get(&server.url).stream().await.unwrap();
    let error = stream.try_collect::<Vec<_>>().await.unwrap_err();
    assert_is!(
        error.kind(),
        HttpErrorKind::Cut {
            received_bytes: 9216,
            ..
        }
    );
    let ranges = server.asked();
    assert!(ranges.iter().all(|asked| asked.range().is_none()));
}

/// Case C51: A body that can't be resumed and breaks off each time is tried no more often than the policy says, however much
/// of it comes.
#[test_with(in_runtime)]
async fn the_same_beginning_again_and_again_is_no_progress() {
    let body = text();
    let server = Server::start(move |_| Reply::ok(&*body).cut_after(300 * KIB));
    let folder = Folder::temp();
    let error = session()
        .get(&server.url)
        .download(folder.file("a"))
        .await
        .unwrap_err();
    assert_eq!((error.attempts(), server.asked().len()), (4, 4));
}

/// Case C34: A body that is shorter than its length is never taken for whole, also of a part.
#[test_with(in_runtime)]
async fn a_body_that_is_too_short_is_not_whole() {
    let server = Server::start(|asked| match (asked.target.as_str(), asked.range()) {
        ("/part", Some(_)) => Reply::new(206, "de")
            .header("content-range", "bytes 3-7/8")
            .header("etag", "\"1\""),
        ("/part", None) => Reply::ok("abcdefgh").header("etag", "\"1\"").cut_after(3),
        _ => Reply::ok("abcdefgh").cut_after(3),
    });
    let whole = once().get(&server.at("/whole")).bytes().await;
    assert_is!(
        kind(whole),
        HttpErrorKind::Cut {
            received_bytes: 3,
            ..
        }
    );
    let part = session().get(&server.at("/part")).bytes().await;
    assert_is!(
        kind(part),
        HttpErrorKind::Length {
            expected_bytes: 8,
            received_bytes: 5
        } | HttpErrorKind::Cut { .. }
    );
}

/// Case C35: Progress is told with each piece: how much there is, of how much, in which attempt.
#[test_with(in_runtime)]
async fn progress_is_told() {
    let server = cutting(150 * KIB, |asked, body| Reply::part(asked, body, "\"1\""));
    let all = Arc::new(Mutex::new(Vec::<BodyProgress>::new()));
    let told = all.clone();
    let folder = Folder::temp();
    let request = session()
        .get(&server.url)
        .on_progress(move |now| told.lock().unwrap().push(now));
    request.download(folder.file("a")).await.unwrap();
    let all = all.lock().unwrap();
    assert!(all.is_sorted_by_key(|now| (now.attempt, now.received_bytes)));
    assert!(all.iter().all(|now| now.total_bytes == Some(400_000)));
    let last = all.last().unwrap();
    assert_eq!((last.received_bytes, last.attempt), (400_000, 3));
}

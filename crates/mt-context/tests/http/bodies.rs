//! Bodies: their limits, how they are compressed, and how slowly they may come.

use std::{sync::Arc, time::Duration};

use futures::TryStreamExt;
use mt_context::http::{HttpErrorKind, HttpSession};
use mt_test_kit::{assert_is, test_with};
use tokio::sync::Notify;

use crate::{
    server::{Reply, Server},
    sessions::{alone, config, in_runtime, kind, once, session},
};

const MIB: usize = 1 << 20;

/// Case C23: A body is whole, in memory and as a stream, compressed or not, however it comes.
#[test_with(in_runtime)]
async fn a_body_is_whole_however_it_comes() {
    let text: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let body = text.clone();
    let server = Server::start(move |asked| match asked.target.as_str() {
        "/plain" => Reply::ok(&*body).in_pieces(1000),
        "/gzip" => Reply::gzip(&body, 1).in_pieces(777),
        _ => Reply::ok(chunked(&body)).header("transfer-encoding", "chunked"),
    });
    for path in ["/plain", "/gzip", "/chunked"] {
        let url = server.at(path);
        assert_eq!(session().get(&url).bytes().await.unwrap(), text);
        let stream = session().get(&url).stream().await.unwrap();
        let pieces: Vec<_> = stream.try_collect().await.unwrap();
        assert_eq!(pieces.concat(), text);
    }
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let chunks = body.chunks(10_000);
    let chunks =
        chunks.map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    [chunks.collect::<Vec<_>>().concat(), b"0\r\n\r\n".to_vec()].concat()
}

/// Case C24: A body over its limit is an error before it is read where its length is said, and else as soon as it is over;
/// exactly its limit is none.
#[test_with(in_runtime)]
async fn the_limit_of_a_body_is_exact() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/said" => Reply::ok("12345"),
        "/never" => Reply::ok("12345")
            .header("content-length", "1000000000")
            .cut_after(0),
        _ => Reply::ok(chunked(b"12345")).header("transfer-encoding", "chunked"),
    });
    for path in ["/said", "/unsaid"] {
        let get = |limit| session().get(&server.at(path)).body_limit_bytes(limit);
        assert_eq!(get(5).bytes().await.unwrap(), "12345");
        assert_is!(
            kind(get(4).bytes().await),
            HttpErrorKind::TooLarge { limit_bytes: 4 }
        );
        let streamed: Result<Vec<_>, _> = get(4).stream().await.unwrap().try_collect().await;
        assert_is!(kind(streamed), HttpErrorKind::TooLarge { limit_bytes: 4 });
    }
    let before = server.asked().len();
    let error = session().get(&server.at("/never")).bytes().await;
    assert_is!(kind(error), HttpErrorKind::TooLarge { .. });
    assert_eq!(server.asked().len(), before + 1, "it is not tried again");
}

/// Case C25: A gzip bomb is an error by its decompressed size, in memory, as a stream and to a file. It takes no more memory
/// than the limit, and a body without one that of its pieces.
#[test_with(alone)]
async fn a_gzip_bomb_is_an_error() {
    let body = Reply::gzip(&vec![0; MIB], 256).into_body();
    assert!(body.len() < 2 * MIB);
    let server = Server::start(move |_| Reply::ok(&*body).header("content-encoding", "gzip"));
    let limit = 8 * MIB as u64;
    let folder = mt_test_kit::Folder::temp();
    let get = || session().get(&server.url).body_limit_bytes(limit);
    let before = peak_bytes();
    assert_is!(kind(get().bytes().await), HttpErrorKind::TooLarge { .. });
    let streamed: Result<Vec<_>, _> = get().stream().await.unwrap().try_collect().await;
    assert_is!(kind(streamed), HttpErrorKind::TooLarge { .. });
    let saved = get().download(folder.file("a")).await;
    assert_is!(kind(saved), HttpErrorKind::TooLarge { .. });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let saved = session()
        .get(&server.url)
        .sync(false)
        .download(folder.file("a"))
        .await;
    assert_eq!(saved.unwrap().bytes, 256 * MIB as u64);
    let taken = peak_bytes() - before;
    assert!(taken < 64 * MIB, "{taken} bytes were taken");
}

/// The most memory that this process has ever had.
fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse::<usize>()
        .unwrap()
        * 1024
}

/// Case C26: A body whose compression is broken, cut or unknown is an error, and none that can be tried again.
#[test_with(in_runtime)]
async fn a_body_that_can_not_be_decompressed_is_an_error() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/broken" => Reply::ok("this is no gzip").header("content-encoding", "gzip"),
        "/short" => {
            let whole = Reply::gzip(b"some text", 1).into_body();
            Reply::ok(&whole[..whole.len() - 3]).header("content-encoding", "gzip")
        }
        _ => Reply::ok("what is this?").header("content-encoding", "br"),
    });
    for path in ["/broken", "/short", "/other"] {
        let error = session().get(&server.at(path)).bytes().await.unwrap_err();
        assert_is!(error.kind(), HttpErrorKind::Encoding { .. });
        assert_eq!((error.attempts(), error.can_retry()), (1, false));
    }
}

/// Case C27: A server that says nothing for too long, before its answer or within the body, is a timeout, which can be tried
/// again; one that is slow is none.
#[test_with(in_runtime)]
async fn silence_is_a_timeout_and_slowness_none() {
    let never = Arc::new(Notify::new());
    let server = Server::start(move |asked| match asked.target.as_str() {
        "/slow" => Reply::ok(vec![7; 2000]).in_pieces(1),
        "/within" => Reply::ok("abc").hang_after(2, &never),
        "/begun" => Reply::ok("abc").hang_after(0, &never),
        _ => Reply::silent(),
    });
    let config = config().read_timeout(Duration::from_millis(300));
    let session = HttpSession::open(&config).unwrap();
    for path in ["/within", "/begun", "/before"] {
        let error = session.get(&server.at(path)).bytes().await.unwrap_err();
        assert_is!(error.kind(), HttpErrorKind::Timeout);
        assert_eq!((error.attempts(), error.can_retry()), (4, true), "{error}");
    }
    assert_eq!(
        session
            .get(&server.at("/slow"))
            .bytes()
            .await
            .unwrap()
            .len(),
        2000
    );
}

/// Case C28: A stream that is not read further is not a server's fault: no time counts in which nobody asks for more.
#[test_with(in_runtime)]
async fn a_slow_reader_is_nobodys_fault() {
    let server = Server::start(|_| Reply::ok(vec![7; 4 * MIB]));
    let policy = crate::sessions::quickly().total(Duration::from_millis(200));
    let stream = once()
        .get(&server.url)
        .retry(policy)
        .stream()
        .await
        .unwrap();
    let mut stream = std::pin::pin!(stream);
    let mut read = 0;
    let mut rested = false;
    while let Some(piece) = stream.try_next().await.unwrap() {
        read += piece.len();
        if !rested && read > MIB {
            rested = true;
            let rest = Duration::from_millis(500);
            tokio::time::sleep(rest).await; // work: the reader has something else to do
        }
    }
    assert_eq!((read, rested), (4 * MIB, true));
}

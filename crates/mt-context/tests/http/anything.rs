//! Servers that send anything.

use futures::StreamExt;
use mt_context::{http::HttpSession, retry::RetryPolicy};
use mt_test_kit::{Dice, Folder, test_with};

use crate::{
    server::{Asked, Reply, Server},
    sessions::{config, in_runtime},
};

const BODY: &[u8] = b"the body as it is, and as it should come out in the end, or not at all";
const TAG: &str = "\"1\"";

fn below(dice: &mut Dice<'_>, sides: usize) -> usize {
    dice.below(sides as u64) as usize
}

/// An answer that is sound, or nearly.
fn nearly(dice: &mut Dice<'_>, asked: &Asked) -> Reply {
    let from = asked.range().unwrap_or(0);
    let range = format!(
        "content-range: bytes {from}-{}/{}",
        BODY.len() - 1,
        BODY.len()
    );
    let mut lines = vec![
        if asked.range().is_some() {
            "HTTP/1.1 206 -"
        } else {
            "HTTP/1.1 200 -"
        }
        .to_owned(),
        format!("content-length: {}", BODY.len() - from),
        format!("etag: {TAG}"),
    ];
    lines.extend(asked.range().map(|_| range));
    let mut text = [lines.join("\r\n").as_bytes(), b"\r\n\r\n", &BODY[from..]].concat();
    match below(dice, 5) {
        0 => {}
        1 => text.truncate(below(dice, text.len())),
        // Of the head: in a body no client could find that out.
        2 => {
            let head = text.len() - (BODY.len() - from);
            let at = below(dice, head);
            text[at] = below(dice, 256) as u8;
        }
        3 => {
            let at = below(dice, 3);
            let line = [
                "transfer-encoding: chunked",
                "content-encoding: gzip",
                "etag: \"2\"",
            ][at];
            let end = text.windows(2).position(|two| two == b"\r\n").unwrap();
            text.splice(end..end, [b"\r\n", line.as_bytes()].concat());
        }
        _ => {
            text = (0..below(dice, 200))
                .map(|_| below(dice, 256) as u8)
                .collect()
        }
    }
    Reply::raw(text)
}

/// Case C75: Whatever a server sends for answers, a body is whole or an error, in memory, as a stream and to a file.
#[test_with(in_runtime)]
async fn whatever_comes_a_body_is_whole_or_an_error() {
    let dice = std::sync::Mutex::new(Dice::seeded(7));
    let server = Server::start(move |asked| nearly(&mut dice.lock().unwrap(), asked));
    let policy = RetryPolicy::new().pauses_ms(0, 1).attempts(3);
    let session = HttpSession::open(&config().retry(policy).body_limit_bytes(1000)).unwrap();
    let folder = Folder::temp();
    let (mut whole, mut failed) = (0, 0);
    for number in 0..1500 {
        let get = || session.get(&server.url);
        let got = match number % 3 {
            0 => get().bytes().await.map(|all| all.to_vec()),
            1 => match get().stream().await {
                Ok(stream) => {
                    let all: Vec<_> = stream.collect().await;
                    let all: Result<Vec<_>, _> = all.into_iter().collect();
                    all.map(|all| all.concat())
                }
                Err(error) => Err(error),
            },
            _ => {
                let saved = get().sync(false).download(folder.file("a")).await;
                saved.map(|_| std::fs::read(folder.file("a")).unwrap())
            }
        };
        match got {
            Ok(got) if got == BODY => whole += 1,
            // A head that has become another one may announce less, or nothing.
            Ok(got) => assert!(BODY.starts_with(&got) || got.is_empty(), "{got:?}"),
            Err(_) => failed += 1,
        }
    }
    assert!(
        whole > 300 && failed > 100,
        "{whole} whole, {failed} failed"
    );
}

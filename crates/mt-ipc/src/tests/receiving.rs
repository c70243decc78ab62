//! What the receiving side promises.

use futures::FutureExt;
use mt_proto::{CHUNK_BYTES, Frame, FromWorker, Kind};
use mt_test_kit::{assert_is, test_with};
use tokio::io::AsyncWriteExt;

use super::{Backend, beat, bulk, check, wire_of};
use crate::RecvError;

/// Case D21: A message that is cut by the end of its sender counts as not sent.
#[test_with(check)]
async fn an_end_between_frames_is_an_end_and_inside_one_is_a_cut(backend: Backend) {
    let sent = [beat(), bulk(3), FromWorker::Ready.into_frame()];
    let wire = wire_of(sent.clone());
    let borders: Vec<usize> = (0..=sent.len())
        .map(|n| wire_of(sent[..n].to_vec()).len())
        .collect();
    for end in 0..=wire.len() {
        let (_sender, mut receiver, _writer, mut raw) = backend.raw();
        let write = async {
            raw.write_all(&wire[..end]).await.unwrap();
            drop(raw);
        };
        let read = async {
            let whole = borders.iter().filter(|border| **border <= end).count() - 1;
            for frame in &sent[..whole] {
                assert_eq!(receiver.recv().await.unwrap().as_ref(), Some(frame));
            }
            match receiver.recv().await {
                Ok(None) => assert!(borders.contains(&end), "cut at {end} taken for an end"),
                Err(RecvError::Cut) => assert!(!borders.contains(&end), "{end} is no cut"),
                other => panic!("cut at {end}: {other:?}"),
            }
        };
        tokio::join!(write, read);
    }
}

#[test_with(check)]
async fn an_end_between_two_chunks_is_a_cut(backend: Backend) {
    let wire = wire_of([bulk(CHUNK_BYTES + 1)]);
    let (_sender, mut receiver, _writer, mut raw) = backend.raw();
    let write = async {
        raw.write_all(&wire[..CHUNK_BYTES + 5]).await.unwrap();
        drop(raw);
    };
    let (_, got) = tokio::join!(write, receiver.recv());
    assert_is!(got, Err(RecvError::Cut));
}

/// Case I1: `recv` is cancel-safe.
#[test_with(check)]
async fn a_receive_that_is_cancelled_loses_nothing(backend: Backend) {
    let sent: Vec<Frame> = (0..40).flat_map(|n| [bulk(n * 7), beat()]).collect();
    let wire = wire_of(sent.clone());
    let (_sender, mut receiver, _writer, mut raw) = backend.raw();
    let write = async {
        for piece in wire.chunks(5) {
            raw.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        drop(raw);
    };
    let mut cancelled = 0;
    let read = async {
        let mut got = Vec::new();
        loop {
            tokio::select! {
                biased;
                frame = receiver.recv() => match frame.unwrap() {
                    Some(frame) => got.push(frame),
                    None => return got,
                },
                () = tokio::task::yield_now() => cancelled += 1,
            }
        }
    };
    let (_, got) = tokio::join!(write, read);
    assert_eq!(got, sent);
    assert!(cancelled >= 40, "only {cancelled} receives were cancelled");
}

/// Case I2: Bytes that are no frame are an error, and nothing is received after it.
#[test_with(check)]
async fn garbage_is_an_error_that_stays(backend: Backend) {
    let (_sender, mut receiver, _writer, mut raw) = backend.raw();
    let garbage = [&wire_of([beat()])[..], b"\0\0\0\0Hello, pool!"].concat();
    let write = async {
        raw.write_all(&garbage).await.unwrap();
        std::future::pending::<()>().await;
    };
    let read = async {
        assert_eq!(receiver.recv().await.unwrap(), Some(beat()));
        for _ in 0..3 {
            assert_is!(receiver.recv().await, Err(RecvError::Decode(_)));
        }
        assert_is!(receiver.recv_now(), Err(RecvError::Decode(_)));
    };
    tokio::select! { () = write => {}, () = read => {} }
}

#[test_with(check)]
async fn what_has_arrived_can_be_taken_while_somebody_holds_the_other_end(backend: Backend) {
    let (_sender, mut receiver, _writer, mut raw) = backend.raw();
    assert_eq!(receiver.recv_now().unwrap(), None);
    let half = wire_of([bulk(30)]);
    for round in 0..500 {
        // 6 bytes fit every backend's buffer. The frame is cut in the middle of its header.
        let frame = Frame::new(Kind::Beat, vec![round as u8]);
        raw.write_all(&wire_of([frame.clone()])).await.unwrap();
        assert_eq!(receiver.recv_now().unwrap(), Some(frame));
        assert_eq!(receiver.recv_now().unwrap(), None);
    }
    raw.write_all(&half[..7]).await.unwrap();
    assert_eq!(receiver.recv_now().unwrap(), None);
    assert!(receiver.recv().now_or_never().is_none());
    // Waiting still works after it.
    let later = async { raw.write_all(&half[7..]).await.unwrap() };
    let (got, ()) = tokio::join!(receiver.recv(), later);
    assert_eq!(got.unwrap(), Some(bulk(30)));
    drop(raw);
    assert_eq!(receiver.recv_now().unwrap(), None);
}

#[test_with(check)]
async fn whoever_asks_whether_something_has_arrived_loses_nothing(backend: Backend) {
    let (_sender, mut receiver, _writer, mut raw) = backend.raw();
    let wire = wire_of([bulk(30)]);
    for part in [&wire[..7], &wire[7..]] {
        assert!(!receiver.has_arrived());
        raw.write_all(part).await.unwrap();
        assert!(receiver.has_arrived());
    }
    assert!(!receiver.has_arrived(), "that is known");
    assert_eq!(receiver.recv().await.unwrap(), Some(bulk(30)));
    drop(raw);
    assert!(receiver.has_arrived(), "the end");
    assert_eq!(receiver.recv().await.unwrap(), None);
}

#[test_with(check)]
async fn all_of_a_long_queue_is_there_at_once(backend: Backend) {
    // As much as goes into the buffer, without the receiver's help.
    let (_sender, mut receiver, _writer, mut raw) = backend.raw();
    let mut sent = 0;
    let wire = wire_of([bulk(1019)]);
    let mut rest = &wire[..];
    while let Some(n) = raw.write(rest).now_or_never() {
        rest = &rest[n.unwrap()..];
        if rest.is_empty() {
            sent += 1;
            rest = &wire[..];
        }
        tokio::task::yield_now().await;
    }
    for n in 0..sent {
        let got = receiver.recv_now().unwrap();
        assert_eq!(got, Some(bulk(1019)), "{n} of {sent}");
    }
    assert_eq!(receiver.recv_now().unwrap(), None);
    drop(raw);
}

#[test_with(check)]
async fn what_was_sent_before_a_reset_arrives(backend: Backend) {
    let (sender, mut receiver, writer, mut raw) = backend.raw();
    let run = tokio::spawn(writer.run());
    // The other side dies with our bytes unread and its own still under way.
    sender.try_send(bulk(3)).unwrap();
    raw.write_all(&wire_of([beat()])).await.unwrap();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    drop(raw);
    assert_eq!(receiver.recv().await.unwrap(), Some(beat()));
    assert_eq!(receiver.recv().await.unwrap(), None);
    sender.close();
    let _ = run.await.unwrap();
}

/// The receiving side is the same in parent and worker.
///
/// Case G11: What comes byte by byte, to a parent or to a worker, is received, and its bytes are counted as they come.
#[test_with(check)]
async fn what_comes_byte_by_byte_is_received(backend: Backend) {
    let sent = [beat(), bulk(700), beat()];
    let wire = wire_of(sent.clone());
    let (_sender, mut receiver, _writer, mut raw) = backend.raw();
    let mut got = Vec::new();
    for (at, byte) in (1..).zip(wire.iter()) {
        raw.write_all(&[*byte]).await.unwrap();
        while receiver.received_bytes() < at {
            got.extend(
                receiver
                    .recv()
                    .now_or_never()
                    .map(|frame| frame.unwrap().unwrap()),
            );
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(got, sent);
}

//! From the first word to the last.

use mt_ipc::{Blob, HandshakeError, OutputTail};
use mt_proto::{Attachments, Beat, Frame, Kind, ToWorker, decode_attached, encode_attaching};
use mt_test_kit::assert_is;

use crate::scene::{Worker, check, role};

/// Case I21: On every system a worker greets, is accepted, talks both ways, and ends when nothing more comes.
#[test]
fn a_worker_greets_talks_and_ends() {
    check(async {
        let mut worker = Worker::ready("echo", "").await;
        for bytes in [0, 1, 4096, 65_536, 65_537, 3 << 20] {
            let body: Vec<u8> = (0..bytes).map(|n: u32| (n % 251) as u8).collect();
            worker.send(body.clone());
            let back = worker.receiver.recv().await.unwrap().unwrap();
            assert!(back.into_body() == body, "{bytes} bytes came back changed");
        }
        worker.sender.close();
        assert_eq!(worker.receiver.recv().await.unwrap(), None);
        let exit = worker.process.wait().await;
        assert_eq!((exit.code, exit.signal), (Some(0), None));
        assert_eq!(
            worker.process.wait().await,
            exit,
            "waiting again tells the same"
        );
    });
}

/// Case I22: On every system a control frame overtakes a long body, there or back.
#[test]
fn control_overtakes_bulk() {
    check(async {
        let mut worker = Worker::ready("echo", "").await;
        worker.send(vec![5; 16 << 20]);
        let beat = ToWorker::Beat(Beat::Die).into_frame();
        worker.sender.try_send(beat).unwrap();
        let first = worker.receiver.recv().await.unwrap().unwrap();
        assert_ne!(first.kind, Kind::Items, "the long body was first");
        let second = worker.receiver.recv().await.unwrap().unwrap();
        assert_eq!(second.into_body().len(), 16 << 20);
    });
}

/// Case I23: On every system another build is refused, and both sides say so.
#[test]
fn another_build_is_refused() {
    check(async {
        let mut worker = Worker::start(role("other-build", "")).await;
        let refused = worker.shake_hands().await;
        assert_is!(refused, Err(HandshakeError::OtherBuild { .. }));
        let theirs = worker.told().await.unwrap();
        assert!(theirs.contains("is another build"), "{theirs}");
        worker.process.wait().await;
    });
}

/// Case I24: On every system large bytes cross as a file beside a frame, there and back, in the order of their frames.
#[test]
fn blobs_cross_with_their_frames() {
    check(async {
        let mut worker = Worker::ready("echo", "").await;
        for n in 1..20_u8 {
            let blob = Blob::copy_of(&vec![n; Blob::FILE_BYTES + usize::from(n)]).unwrap();
            let mut attachments = Attachments::NONE;
            let encoded = encode_attaching(&blob, usize::MAX, &mut attachments).unwrap();
            let frame = Frame::new(Kind::Items, encoded).with_attachments(attachments);
            worker.sender.try_send(frame).unwrap();
            // What has none beside it comes between.
            worker.send([n]);
        }
        for n in 1..20_u8 {
            let frame = worker.receiver.recv().await.unwrap().unwrap();
            let attachments = frame.attachments.clone();
            let blob: Blob = decode_attached(&frame.into_body(), &attachments).unwrap();
            assert_eq!(blob.len(), Blob::FILE_BYTES + usize::from(n));
            assert!(blob.iter().all(|&byte| byte == n), "{n} came back changed");
            let plain = worker.receiver.recv().await.unwrap().unwrap();
            assert_eq!(plain.into_body()[..], [n]);
        }
    });
}

/// Case I25: On every system a task that reads standard input reads nothing, and not what is meant for its worker.
#[test]
fn standard_input_is_empty() {
    check(async {
        let mut worker = Worker::ready("stdin", "").await;
        assert_eq!(worker.told().await.unwrap(), "Ok(0)");
        worker.process.wait().await;
    });
}

/// Case I26: On every system what a worker has written to its standard error before it died is told, to the last byte.
#[test]
fn last_words_are_kept() {
    check(async {
        let mut worker = Worker::start(role("mutters", "")).await;
        worker.process.wait().await;
        let tail: OutputTail = worker.stderr.finish().await;
        let text = String::from_utf8_lossy(tail.bytes());
        assert!(text.ends_with("last words"), "{text}");
    });
}

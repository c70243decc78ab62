//! What crosses beside the bytes: files, with the frames that they belong to.

use std::{
    io::IoSlice,
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream as StdUnixStream,
    },
};

use mt_proto::{
    Attachments, DecodeError, Frame, Kind, MAX_ATTACHMENTS, decode_attached, encode_attaching,
};
use mt_test_kit::{alone, assert_is, descriptors, test_with};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::{Backend, all_of, beat, bulk, check, open, over, sockets, wire_of};
use crate::{Blob, RecvError};

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// The descriptors that are open, those not counted that a first runtime leaves.
fn open_descriptors() -> usize {
    drop(runtime());
    descriptors().len()
}

fn blob(number: u32) -> Blob {
    let fill = |bytes: &mut [u8]| {
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        Ok(())
    };
    Blob::filled(Blob::FILE_BYTES, fill).unwrap()
}

/// A frame of so many blobs, and of some bytes that follow them.
fn with_blobs(numbers: std::ops::Range<u32>, more_bytes: usize) -> Frame {
    let blobs: Vec<Blob> = numbers.map(blob).collect();
    let more = vec![7_u8; more_bytes];
    let mut attachments = Attachments::NONE;
    let body = encode_attaching(&(blobs, more), usize::MAX, &mut attachments).unwrap();
    Frame::new(Kind::Results, body).with_attachments(attachments)
}

/// The numbers of the blobs in a frame.
fn numbers_in(frame: Frame) -> Vec<u32> {
    let attachments = frame.attachments.clone();
    let value = decode_attached::<(Vec<Blob>, Vec<u8>)>(&frame.into_body(), &attachments);
    let number = |blob: &Blob| u32::from_le_bytes(*blob.first_chunk().unwrap());
    value.unwrap().0.iter().map(number).collect()
}

/// Frames with blobs arrive with theirs, among others, in any size.
#[test_with(check)]
async fn frames_arrive_with_what_is_attached_to_them(backend: Backend) {
    let (ours, theirs) = backend.pair();
    let (sender, _, writer) = open(ours);
    let (_, mut receiver, _) = open(theirs);
    let most = MAX_ATTACHMENTS as u32;
    for round in 0..6 {
        sender.try_send(with_blobs(round..round + 1, 0)).unwrap();
        sender.try_send(bulk(round as usize * 1000)).unwrap();
        sender.try_send(beat()).unwrap();
        sender
            .try_send(with_blobs(round..round + 2, 300_000))
            .unwrap();
    }
    sender.try_send(with_blobs(0..most, 10)).unwrap();
    sender.close();
    let (written, got) = tokio::join!(writer.run(), all_of(&mut receiver));
    written.unwrap();
    let mut bulks = got.into_iter().filter(|frame| !frame.kind.is_control());
    for round in 0..6 {
        let mut next = || bulks.next().unwrap();
        assert_eq!(numbers_in(next()), [round]);
        assert_eq!(next(), bulk(round as usize * 1000));
        assert_eq!(numbers_in(next()), [round, round + 1]);
    }
    assert!(numbers_in(bulks.next().unwrap()).into_iter().eq(0..most));
}

/// A socket's buffer is full again and again: what is written in parts has its files once.
#[test]
fn no_descriptor_is_left_whatever_becomes_of_the_frames() {
    alone(
        "tests::attaching::no_descriptor_is_left_whatever_becomes_of_the_frames",
        || {
            let before = open_descriptors();
            check(async |backend| {
                let (ours, theirs) = backend.pair();
                let (sender, _, writer) = open(ours);
                let (_, mut receiver, _) = open(theirs);
                for round in 0..200 {
                    sender.try_send(with_blobs(round..round + 3, 5000)).unwrap();
                }
                let mut run = Box::pin(writer.run());
                let mut got = 0;
                // Half of them are received. Some wait to be sent, some to be received.
                while got < 100 {
                    tokio::select! {
                        biased;
                        frame = receiver.recv() => {
                            assert_eq!(numbers_in(frame.unwrap().unwrap()).len(), 3);
                            got += 1;
                        }
                        _ = &mut run => {}
                    }
                }
            });
            assert_eq!(open_descriptors(), before);
        },
    );
}

/// Linux counts the descriptors of a user that were sent and not received, and takes no more than a process may have.
#[cfg(target_os = "linux")]
#[test]
fn too_many_on_their_way_are_waited_for() {
    use mt_test_kit::{alone_and_bound, with_at_most};
    use rustix::process::Resource;

    const NAME: &str = "tests::attaching::too_many_on_their_way_are_waited_for";
    alone_and_bound(NAME, || {
        let frame = with_blobs(7..8, 0);
        with_at_most(Resource::Nofile, 40, || {
            runtime().block_on(async {
                let (ours, theirs) = sockets();
                let (sender, _, writer) = open(over(ours));
                let (_, mut receiver, _) = open(over(theirs));
                (0..200).for_each(|_| sender.try_send(frame.clone()).unwrap());
                sender.close();
                let received = async {
                    let mut received = 0;
                    while let Some(frame) = receiver.recv().await.unwrap() {
                        assert_eq!(numbers_in(frame), [7]);
                        received += 1;
                    }
                    received
                };
                // Polled first, the writer sends until no more is taken.
                let (written, received) = tokio::join!(biased; writer.run(), received);
                written.unwrap();
                assert_eq!(received, 200);
            });
        });
    });
}

/// Sends bytes with descriptors, as a worker gone mad might.
fn send_raw(socket: &StdUnixStream, bytes: &[u8], files: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(files)));
    }
    let sent = sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::empty(),
    );
    assert_eq!(sent, Ok(bytes.len()));
}

/// Descriptors that nobody asked for, too many or none, break the protocol, and none of them is kept.
#[test]
fn descriptors_that_do_not_belong_to_a_frame_break_the_protocol() {
    alone(
        "tests::attaching::descriptors_that_do_not_belong_to_a_frame_break_the_protocol",
        || {
            let before = open_descriptors();
            let plain = &wire_of([bulk(3)])[..];
            let claims_one = &wire_of([with_blobs(0..1, 0)])[..];
            let claims_two = &wire_of([with_blobs(0..2, 0)])[..];
            let claims_none = &[&[0, 0, 0, 0, 0x40 | Kind::Results as u8][..], &[0]].concat()[..];
            for (bytes, count) in [
                (plain, 1),
                (plain, 253),
                (claims_one, 0),
                (claims_one, 2),
                (claims_one, 65),
                (claims_one, 253),
                (claims_two, 1),
                (claims_none, 1),
                (&wire_of([beat()])[..], 1),
                (&[0][..], 253),
            ] {
                refuses(bytes, count);
                assert_eq!(open_descriptors(), before, "{count} descriptors");
            }
        },
    );
}

fn refuses(bytes: &[u8], count: usize) {
    runtime().block_on(async {
        let (ours, theirs) = sockets();
        let (_sender, mut receiver, _writer) = open(over(ours));
        let file = std::fs::File::open("/dev/null").unwrap();
        send_raw(&theirs, bytes, &vec![file.as_fd(); count]);
        drop(theirs);
        let error = loop {
            match receiver.recv().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{count} descriptors were taken"),
                Err(error) => break error,
            }
        };
        assert_is!(error, RecvError::Decode(DecodeError::Attachments(_)));
    });
}

/// A process without descriptors loses the values that need some, and nothing else.
#[cfg(target_os = "linux")]
#[test]
fn who_has_no_descriptors_left_gets_the_frames_without() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    alone(
        "tests::attaching::who_has_no_descriptors_left_gets_the_frames_without",
        || {
            check(async |backend| {
                if !matches!(backend, Backend::Socket) {
                    return;
                }
                let (ours, theirs) = backend.pair();
                let (sender, _, writer) = open(ours);
                let (_, mut receiver, _) = open(theirs);
                for round in 0..3 {
                    sender.try_send(with_blobs(round..round + 2, 0)).unwrap();
                    sender.try_send(bulk(3)).unwrap();
                }
                sender.close();
                writer.run().await.unwrap();
                let limit = getrlimit(Resource::Nofile);
                // One more, and then none.
                let next = std::fs::File::open("/dev/null").unwrap();
                let most = std::os::fd::AsRawFd::as_raw_fd(&next) as u64 + 1;
                drop(next);
                let tight = rustix::process::Rlimit {
                    current: Some(most),
                    ..limit
                };
                setrlimit(Resource::Nofile, tight).unwrap();
                let mut lost = 0;
                for round in 0..3 {
                    let frame = receiver.recv().await.unwrap().unwrap();
                    assert_eq!(
                        receiver.recv().await.unwrap(),
                        Some(bulk(3)),
                        "of round {round}"
                    );
                    let is_lost = frame
                        .attachments
                        .as_slice()
                        .iter()
                        .map(|each| each.is_lost());
                    assert_eq!(is_lost.collect::<Vec<_>>(), [false, true]);
                    let attachments = frame.attachments.clone();
                    let value =
                        decode_attached::<(Vec<Blob>, Vec<u8>)>(&frame.into_body(), &attachments);
                    let said = value.unwrap_err().to_string();
                    assert!(said.contains("no descriptor left"), "{said}");
                    lost += 1;
                }
                assert_eq!(lost, 3);
                setrlimit(Resource::Nofile, limit).unwrap();
                assert_eq!(receiver.recv().await.unwrap(), None);
            });
        },
    );
}

/// Frames without attachments have no memory for any.
#[test]
fn no_attachments_are_one_word() {
    assert_eq!(size_of::<Attachments>(), size_of::<usize>());
}

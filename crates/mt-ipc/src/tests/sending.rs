//! What the sending side promises.

use futures::FutureExt;
use mt_proto::{FromExecutor, ItemIndex, Kind, Limits, RecordTag, SegmentWriter};
use mt_test_kit::test_with;

use super::{Backend, all_of, beat, bulk, check, open};
use crate::{QueueLimits, SendError};

/// Case I4: Frames arrive whole, in order, and then the end.
#[test_with(check)]
async fn frames_arrive_whole_and_in_order_and_then_the_end(backend: Backend) {
    let (ours, theirs) = backend.pair();
    let (sender, _, writer) = open(ours);
    let (_, mut receiver, _) = open(theirs);
    let sent = [0, 1, 300, 262_143, 262_144, 262_145, 900_000, 2].map(bulk);
    for frame in &sent {
        sender.try_send(frame.clone()).unwrap();
        sender.try_send(beat()).unwrap();
    }
    sender.close();
    assert_eq!(sender.try_send(beat()), Err(SendError::Closed));
    let (written, got) = tokio::join!(writer.run(), all_of(&mut receiver));
    written.unwrap();
    let (control, bulk): (Vec<_>, Vec<_>) =
        got.into_iter().partition(|frame| frame.kind.is_control());
    assert_eq!(control, vec![beat(); sent.len()]);
    assert_eq!(bulk, sent);
}

/// Case D22: Heartbeats overtake what waits, and go in between the pieces of what is long.
#[test_with(check)]
async fn control_overtakes_what_waits_in_the_bulk_lane(backend: Backend) {
    const MIB: usize = 1 << 20;
    // Many bodies, and one as long as all of them.
    for bodies in [vec![MIB; 16], vec![16 * MIB]] {
        let (ours, theirs) = backend.pair();
        let (sender, _, writer) = open(ours);
        let (_, mut receiver, _) = open(theirs);
        let count = bodies.len();
        for length in bodies {
            sender.try_send(bulk(length)).unwrap();
        }
        let mut run = Box::pin(writer.run());
        // The pipe is full of bulk now.
        assert!(run.as_mut().now_or_never().is_none());
        sender.try_send(beat()).unwrap();
        sender.close();
        let (written, got) = tokio::join!(run, all_of(&mut receiver));
        written.unwrap();
        assert_eq!(got.len(), count + 1);
        let place = got.iter().position(|frame| frame.kind == Kind::Beat);
        let place = place.unwrap();
        assert!(place <= 5, "the beat was behind {place} of {count} bodies");
    }
}

/// Case D11: Both sides always read: what is long both ways does not block either.
#[test_with(check)]
async fn long_bodies_both_ways_do_not_block_each_other(backend: Backend) {
    let (ours, theirs) = backend.pair();
    let both = [ours, theirs].map(async |connection| {
        let (sender, mut receiver, writer) = open(connection);
        sender.try_send(bulk(10 << 20)).unwrap();
        sender.close();
        let (written, got) = tokio::join!(writer.run(), receiver.recv());
        written.unwrap();
        assert!(got.unwrap() == Some(bulk(10 << 20)));
    });
    futures::future::join_all(both).await;
}

#[test_with(check)]
async fn encoded_results_travel_like_frames(backend: Backend) {
    let (ours, theirs) = backend.pair();
    let (sender, _, writer) = open(ours);
    let (_, mut receiver, _) = open(theirs);
    let mut results = SegmentWriter::new();
    sender.try_send_encoded(results.take()).unwrap();
    for index in 0..50_000 {
        let pushed = results.push(ItemIndex(index), RecordTag::Value, &index, 100);
        pushed.unwrap();
    }
    let long = "x".repeat(1 << 20);
    let pushed = results.push(ItemIndex(7), RecordTag::Value, &long, 1 << 21);
    pushed.unwrap();
    sender.try_send_encoded(results.take()).unwrap();
    sender.close();
    let (written, got) = tokio::join!(writer.run(), all_of(&mut receiver));
    written.unwrap();
    let counts = got
        .into_iter()
        .map(|frame| match FromExecutor::from_frame(frame) {
            Ok(FromExecutor::Results(run)) => run.count,
            other => panic!("{other:?}"),
        });
    assert_eq!(counts.sum::<u32>(), 50_001);
}

/// Case I3: The lanes of a sender are bounded, each by itself, and a full one is `SendError::Full`.
#[test_with(check)]
async fn lanes_have_limits_of_their_own(backend: Backend) {
    let (ours, _theirs) = backend.pair();
    let queue = QueueLimits {
        control_frames: 2,
        bulk_frames: 3,
    };
    let (sender, _, writer) = ours.open(Limits::default(), queue);
    for _ in 0..3 {
        sender.try_send(bulk(1)).unwrap();
    }
    assert_eq!(sender.try_send(bulk(1)), Err(SendError::Full));
    let encoded = sender.try_send_encoded(bytes::Bytes::from_static(b"x"));
    assert_eq!(encoded, Err(SendError::Full));
    for _ in 0..2 {
        sender.try_send(beat()).unwrap();
    }
    assert_eq!(sender.clone().try_send(beat()), Err(SendError::Full));
    assert!(sender.bulk_below(3).now_or_never().is_none());
    sender.bulk_below(4).await;
    // A writer that is gone frees whoever waits for room.
    let wait = sender.bulk_below(1);
    tokio::pin!(wait);
    assert!(wait.as_mut().now_or_never().is_none());
    drop(writer);
    wait.await;
    assert_eq!(sender.try_send(beat()), Err(SendError::Closed));
}

#[test_with(check)]
async fn closing_frees_who_waits_for_room(backend: Backend) {
    let (ours, _theirs) = backend.pair();
    let (sender, _, _writer) = open(ours);
    sender.try_send(bulk(1)).unwrap();
    let wait = sender.bulk_below(1);
    let close = async {
        tokio::task::yield_now().await;
        sender.close();
    };
    tokio::join!(wait, close);
}

#[test_with(check)]
async fn a_writer_whose_peer_is_gone_fails_and_closes_the_lanes(backend: Backend) {
    let (ours, theirs) = backend.pair();
    let (sender, _receiver, writer) = open(ours);
    drop(theirs);
    sender.try_send(bulk(100)).unwrap();
    assert!(writer.run().await.is_err());
    assert_eq!(sender.try_send(beat()), Err(SendError::Closed));
}

/// Case 30: While something long crosses, both sides see that it goes on: one by the room that is made, one by the bytes.
#[test_with(check)]
async fn who_sends_and_who_receives_see_that_something_long_goes_on(backend: Backend) {
    let (ours, theirs) = backend.pair();
    let (sender, _, writer) = open(ours);
    let (_, mut receiver, _) = open(theirs);
    sender.try_send(bulk(16 << 20)).unwrap();
    let mut run = Box::pin(writer.run());
    for _ in 0..3 {
        assert!(run.as_mut().now_or_never().is_none(), "it is full");
    }
    assert_eq!(sender.room_made(), 0, "nobody reads");
    sender.close();
    let (written, got) = tokio::join!(run, all_of(&mut receiver));
    written.unwrap();
    assert_eq!(got.len(), 1);
    assert!(sender.room_made() > 1);
    assert!(receiver.received_bytes() > 16 << 20);
}

#[test_with(check)]
async fn it_shows_when_all_is_with_the_system(backend: Backend) {
    let (ours, theirs) = backend.pair();
    let (sender, _, writer) = open(ours);
    let (_, mut receiver, _) = open(theirs);
    let mut run = Box::pin(writer.run());
    sender.try_send(bulk(16 << 20)).unwrap();
    assert!(run.as_mut().now_or_never().is_none(), "it is full");
    assert!(!sender.all_sent(), "part of it waits for room");
    tokio::select! {
        ended = &mut run => panic!("nobody has closed it: {ended:?}"),
        got = receiver.recv() => assert!(got.unwrap().is_some()),
    }
    assert!(run.as_mut().now_or_never().is_none());
    assert!(sender.all_sent());
    sender.try_send(beat()).unwrap();
    assert!(!sender.all_sent(), "nobody has written it yet");
}

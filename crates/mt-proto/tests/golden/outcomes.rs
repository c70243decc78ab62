//! What a results frame holds.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mt_proto::{
    CapturedStdout, ContextStep, Count, CounterId, Deadline, Failure, FromExecutor, Heading,
    ItemIndex, RecordTag, Records, SegmentWriter, TallyParts, decode_strict, encode,
};

use crate::{check, golden, read_back, text};

#[test]
fn failures() {
    let panicked = |location| Failure::Panicked {
        message: text("oh"),
        location,
        backtrace: text("f"),
    };
    let context = |step| Failure::Context {
        step,
        message: text("no"),
    };
    let timed_out = |deadline| Failure::TimedOut {
        deadline,
        limit: Duration::from_secs(2),
    };
    let table = golden! {
        panicked(None) => "00 02 6f 68 00 01 66",
        panicked(Some(text("a:1"))) => "00 02 6f 68 01 03 61 3a 31 01 66",
        Failure::Undecodable { message: text("no") } => "01 02 6e 6f",
        Failure::Unserialisable { message: text("no") } => "02 02 6e 6f",
        Failure::TooLarge { limit_bytes: 300 } => "03 ac 02",
        context(ContextStep::Open) => "04 00 02 6e 6f",
        context(ContextStep::Close) => "04 01 02 6e 6f",
        timed_out(Deadline::Queue) => "05 00 02 00",
        timed_out(Deadline::Soft) => "05 01 02 00",
        timed_out(Deadline::Hard) => "05 02 02 00",
        Failure::Cancelled => "06",
    };
    for (failure, golden) in table {
        let name = format!("{failure:?}");
        let bytes = encode(&failure, 100).unwrap();
        check(&name, &bytes, golden);
        assert_eq!(decode_strict::<Failure>(&bytes), Ok(failure));
        for end in 0..bytes.len() {
            assert!(decode_strict::<Failure>(&bytes[..end]).is_err(), "{name}");
        }
    }
}

#[test]
fn outcomes_that_come_with_a_tally() {
    let count = |number, by| Count {
        counter: CounterId {
            process: 300,
            number,
        },
        by,
    };
    let counts = &[count(7, 1), count(300, -1)];
    let table = [
        (RecordTag::Value, "0c 00 00 c0 00"),
        (RecordTag::Raised, "0c 00 00 c0 01"),
        (RecordTag::Failure, "0c 00 00 c0 02"),
    ];
    for (tag, begin) in table {
        let mut writer = SegmentWriter::new();
        let heading = Heading {
            tag,
            tally: Some(&TallyParts {
                counts,
                stdout: None,
            }),
        };
        let pushed = writer.push_outcome(ItemIndex(7), heading, &9u8, 100);
        assert_eq!(pushed, Ok(()));
        let golden = format!(
            "1c 00 00 00 25 07 00 00 00 00 00 00 00 01 00 00 00 {begin} 02 \
             ac 02 07 02 ac 02 ac 02 01 09"
        );
        check("a tallied result", &writer.take().into_bytes(), &golden);
    }
}

#[test]
fn outcomes_that_come_with_output() {
    let stdout = CapturedStdout::new(Bytes::from_static(b"hi\n"), 300);
    let count = Count {
        counter: CounterId {
            process: 1,
            number: 2,
        },
        by: -1,
    };
    let counts = [count];
    for (tag, counts, golden) in [
        (
            RecordTag::Value,
            &[][..],
            "09 00 00 c0 04 00 ac 02 03 68 69 0a 09",
        ),
        (
            RecordTag::Raised,
            &counts[..],
            "0c 00 00 c0 05 01 01 02 01 ac 02 03 68 69 0a 09",
        ),
        (
            RecordTag::Failure,
            &[],
            "09 00 00 c0 06 00 ac 02 03 68 69 0a 09",
        ),
    ] {
        let mut writer = SegmentWriter::new();
        let heading = Heading {
            tag,
            tally: Some(&TallyParts {
                counts,
                stdout: Some(&stdout),
            }),
        };
        let pushed = writer.push_outcome(ItemIndex(7), heading, &9u8, 100);
        assert_eq!(pushed, Ok(()));
        let wire = writer.take().into_bytes();
        // After the headers of the frame and of the run.
        check("a result with output", &wire[5 + 12..], golden);
        let record = Records::new(wire.slice(5 + 12..)).next_record();
        let record = record.unwrap().unwrap();
        assert_eq!((record.tag, &record.value[..]), (tag, &[9][..]));
        assert_eq!(record.tally().stdout(), stdout);
        assert_eq!(record.tally().counts().collect::<Vec<_>>(), counts);
    }
}

#[test]
fn a_run_of_results_with_every_tag() {
    let mut writer = SegmentWriter::new();
    let tags = [RecordTag::Value, RecordTag::Raised, RecordTag::Failure];
    for (index, tag) in (7..).zip(tags) {
        writer.push(ItemIndex(index), tag, &300u64, 100).unwrap();
    }
    let wire = writer.take().into_bytes();
    check(
        "results of a run writer",
        &wire,
        "1e 00 00 00 25 07 00 00 00 00 00 00 00 03 00 00 00 \
         02 00 00 00 ac 02 02 00 00 40 ac 02 02 00 00 80 ac 02",
    );
    let frame = read_back(&BytesMut::from(&wire[..]));
    let Ok(FromExecutor::Results(run)) = FromExecutor::from_frame(frame) else {
        panic!("not results");
    };
    assert_eq!(
        (run.first, run.count, run.end()),
        (ItemIndex(7), 3, ItemIndex(10))
    );
    let mut records = Records::new(run.records);
    for tag in tags {
        let record = records.next_record().unwrap().unwrap();
        assert_eq!((record.tag, &record.value[..]), (tag, &[0xac, 2][..]));
    }
    assert_eq!(records.next_record(), Ok(None));
}

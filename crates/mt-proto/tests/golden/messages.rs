//! The messages of both directions.

use std::time::Duration;

use bytes::Bytes;
use mt_proto::{
    Assignment, Attachments, Beat, Build, ContextStep, ExitReport, Fingerprint, Frame,
    FromExecutor, FromWorker, HEADER_BYTES, InitCall, ItemIndex, Kind, Notice, PROTOCOL_VERSION,
    Preparation, PreparedId, RecordBuffer, Segment, Setup, SetupFailure, SetupStep, ToExecutor,
    ToWorker, TraceEvent, TraceLevel, Welcome, WorkerBeat, WorkerId, decode_strict, encode,
};

use crate::{check, golden, read_back, text, wire_of};

fn three_items() -> Segment {
    let mut records = RecordBuffer::default();
    for value in [1u64, 300, 70_000] {
        records.push(&value, 100).unwrap();
    }
    Segment {
        first: ItemIndex(0x0102),
        count: 3,
        records: records.take(),
        attachments: Attachments::NONE,
    }
}

fn preparation() -> Preparation {
    Preparation {
        id: PreparedId(300),
        task: 7,
        shared: Bytes::from_static(&[1, 2]),
        context: Bytes::from_static(&[3]),
    }
}

fn setup(init: Option<InitCall>) -> Setup {
    Setup {
        task: text("sum"),
        shared: Bytes::from_static(&[1, 2]),
        context: Bytes::from_static(&[3]),
        batch_size: 100,
        max_concurrency: 300,
        max_pieces: 4,
        max_result_bytes: 1 << 20,
        exit: init.clone(),
        init,
        queue_deadline: None,
        soft_deadline: Some(Duration::from_secs(2)),
        context_deadline: None,
        seed: 300,
        tell_contexts: true,
    }
}

/// A message is these bytes on the wire, and they are that message and no other.
fn check_messages<M: Clone + PartialEq + std::fmt::Debug>(
    table: impl IntoIterator<Item = (M, &'static str)>,
    into_frame: impl Fn(M) -> Frame,
    from_frame: impl Fn(Frame) -> Result<M, mt_proto::DecodeError>,
) {
    for (message, golden) in table {
        let name = format!("{message:?}");
        let frame = into_frame(message.clone());
        assert_eq!(frame.body_bytes(), frame.clone().into_body().len());
        let wire = wire_of(frame.clone());
        assert_eq!(wire.len(), HEADER_BYTES + frame.body_bytes());
        check(&name, &wire, golden);
        assert_eq!(from_frame(read_back(&wire)), Ok(message));
        // Whatever an assignment's role is told may follow it.
        if frame.kind == Kind::Assign {
            continue;
        }
        let body = frame.clone().into_body();
        let mut others: Vec<_> = (0..body.len()).map(|end| body[..end].to_vec()).collect();
        others.push([&body[..], &[0]].concat());
        for other in others {
            let length = other.len();
            let refused = from_frame(Frame::new(frame.kind, other)).is_err();
            assert!(refused, "{name} in {length} bytes");
        }
    }
}

fn from_worker(table: impl IntoIterator<Item = (FromWorker, &'static str)>) {
    check_messages(table, FromWorker::into_frame, FromWorker::from_frame);
}

fn from_executor(table: impl IntoIterator<Item = (FromExecutor, &'static str)>) {
    check_messages(table, FromExecutor::into_frame, FromExecutor::from_frame);
}

#[test]
fn messages_to_a_worker() {
    let welcome = Welcome {
        worker: WorkerId(300),
        beat_interval: Duration::from_millis(500),
    };
    let refused = Build {
        version: PROTOCOL_VERSION,
        fingerprint: Fingerprint(0x0123_4567_89ab_cdef),
    };
    let assign = |trace| {
        ToWorker::Assign(Assignment {
            role: text("sum"),
            trace,
            body: Bytes::from_static(&[7]),
            attachments: Attachments::NONE,
        })
    };
    let table = golden! {
        ToWorker::Welcome(welcome) => "08 00 00 00 02 ac 02 00 80 ca b5 ee 01",
        ToWorker::Refused(refused) => "0a 00 00 00 03 04 ef 9b af cd f8 ac d1 91 01",
        ToWorker::Beat(Beat::Alive) => "01 00 00 00 04 00",
        ToWorker::Beat(Beat::Die) => "01 00 00 00 04 01",
        assign(None) => "06 00 00 00 21 03 73 75 6d 00 07",
        assign(Some(TraceLevel::Info)) => "07 00 00 00 21 03 73 75 6d 01 02 07",
        ToWorker::Rest => "00 00 00 00 2e",
    };
    check_messages(table, ToWorker::into_frame, ToWorker::from_frame);
}

#[test]
fn messages_to_an_executor() {
    let table = golden! {
        ToExecutor::Patience(Duration::from_millis(300)) => "06 00 00 00 2c 00 80 c6 86 8f 01",
        ToExecutor::Withdraw(ItemIndex(300)) => "02 00 00 00 31 ac 02",
        ToExecutor::Prepare(preparation(), Attachments::NONE) =>
            "08 00 00 00 32 ac 02 07 02 01 02 01 03",
        ToExecutor::Forget(PreparedId(300)) => "02 00 00 00 33 ac 02",
        ToExecutor::Items(three_items()) => "1e 00 00 00 24 02 01 00 00 00 00 00 00 03 00 00 00 \
            01 00 00 00 01 02 00 00 00 ac 02 03 00 00 00 f0 a2 04",
    };
    check_messages(table, ToExecutor::into_frame, ToExecutor::from_frame);
}

#[test]
fn the_setup_of_an_executor() {
    let init = InitCall {
        task: text("warm"),
        input: Bytes::from_static(&[9]),
    };
    let table = golden! {
        setup(None) =>
            "03 73 75 6d 00 02 01 02 01 03 64 ac 02 04 80 80 40 00 00 01 02 00 00 ac 02 01",
        setup(Some(init)) =>
            "03 73 75 6d 01 04 77 61 72 6d 01 09 02 01 02 01 03 64 ac 02 04 80 80 40 \
             01 04 77 61 72 6d 01 09 00 01 02 00 00 ac 02 01",
    };
    for (setup, golden) in table {
        let bytes = encode(&setup, usize::MAX).unwrap();
        check("setup", &bytes, golden);
        assert_eq!(decode_strict(&bytes), Ok(setup));
    }
}

fn setup_failed(step: SetupStep) -> FromWorker {
    FromWorker::SetupFailed(SetupFailure {
        step,
        message: text("no"),
    })
}

fn exit(result: Result<&'static [u8], &str>) -> FromExecutor {
    FromExecutor::Exit(match result {
        Ok(value) => ExitReport::Returned(Bytes::from_static(value)),
        Err(message) => ExitReport::Failed(text(message)),
    })
}

fn context_notice(step: ContextStep) -> FromExecutor {
    FromExecutor::Notice(Notice::Context {
        step,
        message: text("é"),
    })
}

fn trace_events() -> FromWorker {
    let bare = TraceEvent {
        level: TraceLevel::Error,
        target: text("a"),
        file: None,
        line: None,
        item: None,
        message: text(""),
        fields: Vec::new(),
    };
    let full = TraceEvent {
        level: TraceLevel::Trace,
        file: Some(text("f")),
        line: Some(300),
        item: Some(ItemIndex(7)),
        message: text("m"),
        fields: vec![(text("k"), text("v"))],
        ..bare.clone()
    };
    FromWorker::Trace {
        events: [bare, full].into_iter().collect(),
        dropped: 5,
    }
}

#[test]
fn messages_from_a_worker() {
    let hello = Build {
        version: PROTOCOL_VERSION,
        fingerprint: Fingerprint(u64::MAX),
    };
    let beat = |beat| {
        FromWorker::Beat(WorkerBeat {
            beat,
            started: 300,
            finished: 299,
            turns: u64::MAX,
        })
    };
    from_worker(golden! {
        FromWorker::Hello(hello) => "0b 00 00 00 01 04 ff ff ff ff ff ff ff ff ff 01",
        beat(Beat::Alive) => "0f 00 00 00 04 00 ac 02 ab 02 ff ff ff ff ff ff ff ff ff 01",
        beat(Beat::Die) => "0f 00 00 00 04 01 ac 02 ab 02 ff ff ff ff ff ff ff ff ff 01",
        FromWorker::Ready => "00 00 00 00 22",
        setup_failed(SetupStep::Lookup) => "04 00 00 00 23 00 02 6e 6f",
        setup_failed(SetupStep::Decode) => "04 00 00 00 23 01 02 6e 6f",
        FromWorker::Rested => "00 00 00 00 2f",
        setup_failed(SetupStep::Init) => "04 00 00 00 23 02 02 6e 6f",
        setup_failed(SetupStep::Runtime) => "04 00 00 00 23 03 02 6e 6f",
        trace_events() => "1c 00 00 00 28 02 00 01 61 00 00 00 00 00 \
            04 01 61 01 01 66 01 ac 02 01 07 01 6d 01 01 6b 01 76 05",
        FromWorker::Bye => "00 00 00 00 27",
    });
}

#[test]
fn outcomes_from_an_executor() {
    from_executor(golden! {
        exit(Ok(&[7, 8])) => "04 00 00 00 2d 00 02 07 08",
        exit(Err("no")) => "04 00 00 00 2d 01 02 6e 6f",
        FromExecutor::Results(three_items()) =>
            "1e 00 00 00 25 02 01 00 00 00 00 00 00 03 00 00 00 \
             01 00 00 00 01 02 00 00 00 ac 02 03 00 00 00 f0 a2 04",
    });
}

#[test]
fn notices_from_an_executor() {
    let slowest = vec![(ItemIndex(300), Duration::from_millis(1500))];
    from_executor(golden! {
        context_notice(ContextStep::Open) => "05 00 00 00 26 00 00 02 c3 a9",
        context_notice(ContextStep::Close) => "05 00 00 00 26 00 01 02 c3 a9",
        FromExecutor::Notice(Notice::ContextOpened) => "01 00 00 00 26 01",
        FromExecutor::Notice(Notice::ContextClosed) => "01 00 00 00 26 02",
        FromExecutor::Notice(Notice::Slowest(slowest)) => "0a 00 00 00 26 03 01 ac 02 01 80 ca b5 ee 01",
    });
}

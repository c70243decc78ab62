//! The language a parent process and its workers speak: messages, outcomes, and the frame codec.
//!
//! Pure: no IO, no clock, no runtime. Everything here turns values into bytes and bytes into values;
//! `mt-ipc` moves the bytes, `mt-pool` decides what to say.
//!
//! # Start here
//! * [`ToWorker`] and [`FromWorker`] are all that can be said on a connection, one enum a direction.
//! * [`Frame`] is one message on the wire; [`FrameDecoder`] finds frames in received bytes.
//! * [`Records`] and [`RecordBuffer`] pack many items, or many results, into one frame.
//!
//! ```
//! # // Case I16: Mt-proto can be used alone: values and messages become bytes, and are what they were.
//! use bytes::BytesMut;
//! use mt_proto::{FrameDecoder, FromWorker, Limits, decode_checked, encode_checked};
//!
//! let mut wire = BytesMut::new();
//! FromWorker::Ready.into_frame().write_to(&mut wire);
//!
//! let mut decoder = FrameDecoder::new(Limits::default());
//! let frame = decoder.decode(&mut wire)?.expect("a whole frame is there");
//! assert_eq!(FromWorker::from_frame(frame)?, FromWorker::Ready);
//!
//! let value = (7_u32, Some("seven"));
//! let bytes = encode_checked(&value, 1024).expect("it is short");
//! assert_eq!(decode_checked::<(u32, Option<String>)>(&bytes)?, (7, Some("seven".to_owned())));
//! # Ok::<(), mt_proto::DecodeError>(())
//! ```
//!
//! # Trust
//! The other side may be a process that has just overwritten its own memory. Every length is checked
//! against a named limit before anything is allocated, a chunked body grows only by bytes that were
//! received, unknown kinds and tags are errors, and so are bytes left over after a message.

mod attachment;
mod captured;
mod codec;
mod crosses_as;
mod encode;
mod error;
mod executor;
mod fingerprint;
mod frame;
mod guard;
mod hive;
mod ids;
mod limits;
mod message;
mod outcome;
mod records;
mod segment;
mod tally;
mod trace;
mod unit;

pub use attachment::{Attachment, Attachments, EncodedValue};
pub use captured::CapturedStdout;
pub use codec::{
    Arrived, MAX_EMPTY_ELEMENTS, MAX_NESTING, MAX_NESTING_STACK_BYTES, deserialize_attachable,
    serialize_attachable,
};
pub use crosses_as::CrossesAs;
pub use encode::{
    ItemType, append_item, decode_attached, decode_checked, decode_item, decode_item_attached,
    decode_strict, encode, encode_attaching, encode_checked, encode_into, encode_item,
};
pub use error::{DecodeError, EncodeError};
pub use executor::{ExitReport, FromExecutor, InitCall, Notice, Preparation, Setup, ToExecutor};
pub use fingerprint::{Build, Fingerprint, PROTOCOL_VERSION};
pub use frame::{Frame, FrameDecoder, HEADER_BYTES, Kind};
pub use guard::{
    Kept, UserPanic, borrowed_text, decode_guarded, discard, dispose, encode_attaching_guarded,
    encode_guarded, guarded, panic_text,
};
pub use hive::{
    FromBee, HiveWriter, MAX_HIVE_MESSAGES, RaisedException, Round, TaskId, TaskInfo, TaskStatus,
    ToBee, hive_messages,
};
pub use ids::{ItemIndex, PreparedId, WorkerId};
pub use limits::{
    CHUNK_BYTES, Limits, MAX_ATTACHMENTS, MAX_CONTROL_BYTES, MAX_RECORD_BYTES, MAX_TEXT_BYTES,
};
pub use message::{
    Assignment, Beat, FromWorker, SetupFailure, SetupStep, ToWorker, Welcome, WorkerBeat,
};
pub use outcome::{CallStack, ContextStep, Deadline, Failure, clip_text};
pub use records::{Record, RecordBuffer, RecordTag, Records, push_attaching, push_record};
pub use segment::{EncodedFrames, RunMark, Segment, SegmentWriter};
pub use tally::{Count, CounterId, Heading, Tally, TallyParts};
pub use trace::{
    MAX_TRACE_EVENTS, MAX_TRACE_FIELDS, MAX_TRACE_NAME_BYTES, MAX_TRACE_TEXT_BYTES, TraceEvent,
    TraceEvents, TraceLevel,
};
pub use unit::{Outgoing, Unit};

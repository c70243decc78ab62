//! A call that is encoded, with what holds for it.

use std::{cell::Cell, sync::Arc};

use bytes::Bytes;
use mt_proto::{Attachments, EncodeError, MAX_RECORD_BYTES, append_item, guarded};

use crate::{
    Context, Pool, StartError, Task, TaskErrorKind,
    dispatch::{Lost, Terms},
    executor::CallHead,
    input::CallRecord,
    limits::is_time,
    pmap::given,
    registry,
    stats::MadeCall,
    task::TaskStyle,
};

/// The bytes of a record before its value.
const HEADER_BYTES: usize = size_of::<u32>();

/// The bytes that a thread keeps for encoding its calls, at most.
const SCRATCH_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where calls are encoded. A call that is made while one is encoded has one of its own.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A call that is encoded.
#[derive(Debug)]
pub(super) struct Request {
    /// Keeps the workers.
    pub(super) pool: Pool,
    pub(super) call: CallRecord,
    pub(super) terms: Terms,
    pub(super) made: MadeCall,
}

impl Request {
    /// Encodes a call of `T`, which is made by that.
    pub(super) fn of<T: Task>(pool: &Pool, input: &T::Input, terms: Terms) -> Result<Self, Lost> {
        let made = pool.call_recorder().begin();
        match encoded::<T>(input, terms) {
            Ok((call, terms)) => Ok(Self {
                pool: pool.clone(),
                call,
                terms,
                made,
            }),
            Err(lost) => {
                made.refuse(&lost);
                Err(lost)
            }
        }
    }

    pub(super) fn len_bytes(&self) -> usize {
        let CallRecord {
            records,
            attachments,
        } = &self.call;
        records.len().saturating_add(attachments.weight())
    }
}

/// A call of `T`, encoded, and what holds for it.
fn encoded<T: Task>(input: &T::Input, terms: Terms) -> Result<(CallRecord, Terms), Lost> {
    check(&terms).map_err(not_started)?;
    let head = match &terms.prepared {
        Some(prepared) => CallHead::Prepared(prepared.id),
        None => CallHead::Task(number_of::<T>().map_err(not_started)?),
    };
    let shares = T::STYLE == TaskStyle::Async;
    let mut record = SCRATCH.take();
    record.clear();
    record.extend_from_slice(&[0; HEADER_BYTES]);
    head.write(&mut record);
    let mut attachments = Attachments::NONE;
    let limit = MAX_RECORD_BYTES - CallHead::MAX_BYTES;
    let encoded = guarded(|| append_item(&mut record, input, limit, &mut attachments));
    encoded
        .map_err(EncodeError::from)
        .flatten()
        .map_err(|error| unsent(&error))?;
    let length = (record.len() - HEADER_BYTES) as u32;
    record[..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    let records = if record.len() > SCRATCH_BYTES {
        record.into()
    } else {
        let records = Bytes::copy_from_slice(&record);
        SCRATCH.set(record);
        records
    };
    let call = CallRecord {
        records,
        attachments,
    };
    Ok((call, Terms { shares, ..terms }))
}

/// The number of `T`, if it can be called without anything but its input.
fn number_of<T: Task>() -> Result<u32, StartError> {
    let number = registry::number_of::<T>()?;
    given("shared", is_given(T::default_shared))?;
    given("context", is_given(<T::Context as Context>::default_config))?;
    Ok(number)
}

/// Whether there is a default, whose making may be user code. One that panics does so in the worker too, which tells.
fn is_given<V>(default: fn() -> Option<V>) -> Option<()> {
    guarded(|| default().is_some())
        .unwrap_or(true)
        .then_some(())
}

fn check(terms: &Terms) -> Result<(), StartError> {
    let times = [("deadline", terms.hard), ("queue_deadline", terms.queue)];
    let mut given = times
        .into_iter()
        .filter_map(|(option, time)| Some((option, time?)));
    given.try_for_each(|(option, time)| is_time(option, time))?;
    terms.retries.check()
}

pub(super) fn not_started(error: StartError) -> Lost {
    TaskErrorKind::NotStarted(Arc::new(error))
}

fn unsent(error: &EncodeError) -> Lost {
    match error {
        EncodeError::TooLarge { limit } => TaskErrorKind::TooLarge {
            limit_bytes: *limit as u64,
        },
        other => TaskErrorKind::Unserialisable(other.to_string()),
    }
}

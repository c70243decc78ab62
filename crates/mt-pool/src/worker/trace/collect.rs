//! A `tracing` event as texts of bounded length.

use std::{
    fmt::{self, Debug, Write},
    sync::OnceLock,
};

use mt_proto::{MAX_TRACE_FIELDS, MAX_TRACE_TEXT_BYTES, TraceEvent};
use tracing::{
    Event,
    field::{Field, Visit},
};

use crate::supervision::told_level;

static STAMP: OnceLock<fn(&mut TraceEvent)> = OnceLock::new();

/// Has the role add to each event, from now on, what it knows of the call that the emitting thread is in. The first
/// `stamp` stands.
pub(crate) fn stamp_events(stamp: fn(&mut TraceEvent)) {
    let _ = STAMP.set(stamp);
}

/// Takes an event apart. Runs the `Debug` of its values, which is user code, as far as is needed.
pub(super) fn collect(event: &Event<'_>) -> TraceEvent {
    let metadata = event.metadata();
    let mut values = FieldTexts::default();
    event.record(&mut values);
    let mut event = TraceEvent {
        level: told_level(*metadata.level()),
        target: metadata.target().to_owned(),
        file: metadata.file().map(ToOwned::to_owned),
        line: metadata.line(),
        item: None,
        message: values.message,
        fields: values.fields,
    };
    if let Some(stamp) = STAMP.get() {
        stamp(&mut event);
    }
    event.clipped()
}

#[derive(Debug, Default)]
struct FieldTexts {
    message: String,
    fields: Vec<(String, String)>,
}

impl FieldTexts {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() == "message" {
            self.message = text(value);
        } else if self.fields.len() < MAX_TRACE_FIELDS {
            self.fields.push((field.name().to_owned(), text(value)));
        }
    }
}

impl Visit for FieldTexts {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }
}

/// Formats no more of a value than can be sent.
fn text(value: fmt::Arguments<'_>) -> String {
    let mut short = Short(String::new());
    // It ends early when it is full.
    let _ = short.write_fmt(value);
    short.0
}

/// A text that takes a little more than can be sent, so that it is seen to be cut.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = (MAX_TRACE_TEXT_BYTES + 1).saturating_sub(self.0.len());
        if part.len() <= room {
            self.0.push_str(part);
            return Ok(());
        }
        self.0.push_str(&part[..part.ceil_char_boundary(room)]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_not_formatted_to_its_end() {
        struct Endless;
        impl Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("é")?;
                }
            }
        }
        let text = text(format_args!("{:?}", Endless));
        assert!(text.len() > MAX_TRACE_TEXT_BYTES && text.len() < MAX_TRACE_TEXT_BYTES + 8);
    }
}

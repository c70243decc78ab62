//! `tracing` events of workers, as the parent shows them.

use std::fmt;

use mt_proto::{TraceEvent, TraceLevel};
use tracing::{
    Level, dispatcher::get_default, level_filters::LevelFilter, subscriber::NoSubscriber,
};

use super::plain::Plain;

/// A `tracing` event that a worker has emitted.
///
/// Shown with `{}` it is one line or more: level, target, message, fields, item and place, without
/// what a terminal would obey.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerEvent {
    /// How important it is.
    pub level: Level,
    /// What it is about: by default the path of the module it is in.
    pub target: String,
    /// The message, at most 2 KiB.
    pub message: String,
    /// The other fields: at most 24 names with their values as text, each at most 2 KiB.
    pub fields: Vec<(String, String)>,
    /// The source file it is in.
    pub file: Option<String>,
    /// The line there.
    pub line: Option<u32>,
    /// The item in whose call it was emitted: known for events of the thread the call runs on, and of
    /// the call itself; not for those of threads and tasks that it has started.
    pub item: Option<u64>,
}

impl From<TraceEvent> for WorkerEvent {
    fn from(event: TraceEvent) -> Self {
        Self {
            level: level_of(event.level),
            target: event.target,
            message: event.message,
            fields: event.fields,
            file: event.file,
            line: event.line,
            item: event.item.map(|index| index.0),
        }
    }
}

impl fmt::Display for WorkerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:", self.level, Plain(&self.target))?;
        if !self.message.is_empty() {
            write!(f, " {}", Plain(&self.message))?;
        }
        for (name, value) in &self.fields {
            write!(f, " {}={}", Plain(name), Plain(value))?;
        }
        if let Some(item) = self.item {
            write!(f, " (item {item})")?;
        }
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " at {}:{line}", Plain(file)),
            _ => Ok(()),
        }
    }
}

pub(crate) fn level_of(level: TraceLevel) -> Level {
    match level {
        TraceLevel::Error => Level::ERROR,
        TraceLevel::Warn => Level::WARN,
        TraceLevel::Info => Level::INFO,
        TraceLevel::Debug => Level::DEBUG,
        TraceLevel::Trace => Level::TRACE,
    }
}

/// What stands for a level of `tracing` in messages.
pub(crate) fn told_level(level: Level) -> TraceLevel {
    match level {
        Level::ERROR => TraceLevel::Error,
        Level::WARN => TraceLevel::Warn,
        Level::INFO => TraceLevel::Info,
        Level::DEBUG => TraceLevel::Debug,
        Level::TRACE => TraceLevel::Trace,
    }
}

/// The least important events that workers send when this was said about it, or nothing.
#[must_use]
pub(crate) fn trace_level(least: Option<LevelFilter>) -> Option<TraceLevel> {
    let least = least.unwrap_or_else(wanted_here);
    least.into_level().map(told_level)
}

/// What the subscriber of this thread, or one of the process, wants at most.
fn wanted_here() -> LevelFilter {
    if get_default(|current| current.is::<NoSubscriber>()) {
        // The filter may be that of a subscriber that is gone.
        return LevelFilter::OFF;
    }
    LevelFilter::current()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_shown_in_a_line_and_obeyed_by_no_terminal() {
        let event = WorkerEvent {
            level: Level::WARN,
            target: "a::b".into(),
            message: "no \u{1b}[2J".into(),
            fields: vec![("k".into(), "v".into())],
            file: Some("src/a.rs".into()),
            line: Some(7),
            item: Some(3),
        };
        assert_eq!(
            event.to_string(),
            "WARN a::b: no \\u{1b}[2J k=v (item 3) at src/a.rs:7"
        );
    }
}

//! `tracing` callsites of workers, made again in this process so that its filters and subscribers see
//! events of workers as they see its own: by level, target, place and fields.
//!
//! `tracing` keeps callsites for ever, so their number is bounded. Events of the callsites beyond it
//! share one for each level, and have their target as a field.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock},
};

use mt_proto::{MAX_TRACE_FIELDS, TraceEvent, TraceLevel};
use tracing::{
    Event, Value,
    field::{Field, display},
    level_filters::LevelFilter,
};
use tracing_core::{
    Callsite, Interest, Kind, Metadata, callsite::register, dispatcher::get_default,
    field::FieldSet, identify_callsite,
};

use super::worker_event::level_of;
use crate::lock::lock;

const CALLSITES: usize = 1024;
/// The target of events of the callsites beyond.
const OTHER_TARGET: &str = "mt_pool::worker";
/// What comes before and after the fields of the event itself.
const OWN_FIELDS: [&str; 4] = ["message", "worker", "pid", "item"];
const MAX_FIELDS: usize = MAX_TRACE_FIELDS + OWN_FIELDS.len();

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    level: TraceLevel,
    target: String,
    file: Option<String>,
    line: Option<u32>,
    names: Vec<String>,
}

impl Key {
    fn of(event: &TraceEvent) -> Self {
        Self {
            level: event.level,
            target: event.target.clone(),
            file: event.file.clone(),
            line: event.line,
            names: event.fields.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

#[derive(Debug)]
struct Site {
    metadata: OnceLock<Metadata<'static>>,
}

impl Callsite for Site {
    /// Subscribers are asked for each event: there are few of them.
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.get()
    }
}

/// Emits an event of a worker as one of this process, for the subscriber and in the span of this
/// thread.
pub(super) fn emit(mut event: TraceEvent, worker: u32, pid: u32) {
    if LevelFilter::current() < level_of(event.level) {
        return;
    }
    let metadata = callsite_of(&mut event);
    if !get_default(|current| current.enabled(metadata)) {
        return;
    }
    let texts: Vec<_> = event
        .fields
        .iter()
        .map(|(_, value)| display(value))
        .collect();
    let message = display(&event.message);
    let item = event.item.map(|index| index.0);
    let mut values: Vec<Option<&dyn Value>> = vec![Some(&message)];
    values.extend(texts.iter().map(|text| Some(text as &dyn Value)));
    values.extend([Some(&worker as &dyn Value), Some(&pid)]);
    values.push(item.as_ref().map(|item| item as &dyn Value));

    let names: Vec<Field> = metadata.fields().iter().collect();
    let mut pairs = [(&names[0], None); MAX_FIELDS];
    for (pair, (name, value)) in pairs.iter_mut().zip(names.iter().zip(values)) {
        *pair = (name, value);
    }
    Event::dispatch(metadata, &metadata.fields().value_set(&pairs));
}

/// The metadata for an event, which is changed if it has to share its callsite with others.
fn callsite_of(event: &mut TraceEvent) -> &'static Metadata<'static> {
    static KNOWN: Mutex<Option<HashMap<Key, &'static Site>>> = Mutex::new(None);
    let mut locked = lock(&KNOWN);
    let known = locked.get_or_insert_default();
    event.fields.truncate(MAX_TRACE_FIELDS);
    let mut key = Key::of(event);
    if known.len() >= CALLSITES && !known.contains_key(&key) {
        let target = std::mem::replace(&mut event.target, OTHER_TARGET.to_owned());
        let fields = format!("{:?}", event.fields);
        event.fields = vec![("target".to_owned(), target), ("fields".to_owned(), fields)];
        (event.file, event.line) = (None, None);
        key = Key::of(event);
    }
    if let Some(site) = known.get(&key) {
        return site.get();
    }
    let site = Site::leak(&key);
    known.insert(key, site);
    // Subscribers are told, and they are user code.
    drop(locked);
    register(site);
    site.get()
}

impl Site {
    /// Makes a callsite that lives for ever, as `tracing` demands.
    fn leak(key: &Key) -> &'static Self {
        let own = |text: &str| -> &'static str { text.to_owned().leak() };
        let [first, last @ ..] = OWN_FIELDS;
        let mut names = vec![first];
        names.extend(key.names.iter().map(|name| own(name)));
        names.extend(last);
        let site: &'static Self = Box::leak(Box::new(Self {
            metadata: OnceLock::new(),
        }));
        site.metadata.get_or_init(|| {
            Metadata::new(
                "event of a worker",
                own(&key.target),
                level_of(key.level),
                key.file.as_deref().map(own),
                key.line,
                None,
                FieldSet::new(names.leak(), identify_callsite!(site)),
                Kind::EVENT,
            )
        });
        site
    }

    fn get(&self) -> &Metadata<'static> {
        self.metadata.get().expect("set when it was made")
    }
}

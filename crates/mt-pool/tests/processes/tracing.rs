//! `tracing` events of workers come out in the parent: at the right subscriber, under the right span, in
//! bounded number, and also after a crash.

use std::fmt;

use serde::{Deserialize, Serialize};
use tracing::{
    Event, Level, Subscriber, field::Visit, level_filters::LevelFilter, subscriber::with_default,
};
use tracing_subscriber::{
    Layer, filter::Targets, layer::Context, prelude::*, registry::LookupSpan,
};

use crate::prelude::*;

/// What an item makes its task say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Say {
    /// One event of every level.
    Levels,
    /// One with fields of all sorts.
    Fields,
    /// One of another thread.
    Elsewhere,
    /// So many events in a row.
    Many(u32),
    /// One of a megabyte.
    Long,
    /// A few and then an abort.
    Die,
    /// A subscriber of its own, set in the middle.
    Late,
}

fn say(what: &Say) -> bool {
    match what {
        Say::Levels => {
            tracing::error!("an error");
            tracing::warn!("a warning");
            tracing::info!(target: "elsewhere", "an info");
            tracing::debug!("a debug");
            tracing::trace!("a trace");
        }
        Say::Fields => {
            let name = "a \"name\"";
            tracing::info!(number = 7, ok = true, name, list = ?[1, 2], odd.one = %1.5, "values");
        }
        Say::Elsewhere => {
            let thread = thread::spawn(|| tracing::info!("of a thread"));
            thread.join().unwrap();
        }
        Say::Many(count) => {
            for n in 0..*count {
                tracing::info!(n, "one of many");
            }
        }
        Say::Long => tracing::info!(value = "v".repeat(1 << 20), "{}", "m".repeat(1 << 20)),
        Say::Die => {
            tracing::debug!("not wanted");
            for n in 0..20 {
                tracing::info!(n, "nearly");
            }
            tracing::warn!("goodbye\u{1b}[2J");
            std::process::abort();
        }
        Say::Late => {
            let set = tracing::subscriber::set_global_default(tracing_subscriber::registry());
            return set.is_ok();
        }
    }
    true
}

#[task]
fn speak(what: Say) -> bool {
    say(&what)
}

/// Says it before, and after it had to wait, while another one says something else.
#[task]
async fn speak_async(what: Say) -> bool {
    tracing::info!("before");
    tokio::task::yield_now().await;
    say(&what)
}

/// What a subscriber has seen of an event.
#[derive(Debug, Clone, Default)]
struct Seen {
    level: Option<Level>,
    target: String,
    place: Option<(String, u32)>,
    /// The names of the spans it is in, the outermost first.
    spans: Vec<String>,
    fields: BTreeMap<String, String>,
}

impl Seen {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    fn message(&self) -> &str {
        self.field("message").unwrap_or_default()
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        self.fields.insert(field.name().to_owned(), value);
    }
}

/// Keeps what it sees.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Vec<Seen>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Memory {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut seen = Seen {
            level: Some(*metadata.level()),
            target: metadata.target().to_owned(),
            place: metadata.file().map(ToOwned::to_owned).zip(metadata.line()),
            ..Seen::default()
        };
        let spans = context.event_scope(event).into_iter().flatten();
        seen.spans = spans.map(|span| span.name().to_owned()).collect();
        seen.spans.reverse();
        event.record(&mut seen);
        self.0.lock().unwrap().push(seen);
    }
}

impl Memory {
    /// What was seen of workers meanwhile, and of what was not.
    fn of_workers<R>(&self, filter: Targets, run: impl FnOnce() -> R) -> (R, Vec<Seen>) {
        let subscriber = tracing_subscriber::registry().with(self.clone());
        let result = with_default(subscriber.with(filter), run);
        let mut seen = std::mem::take(&mut *self.0.lock().unwrap());
        seen.retain(|seen| {
            ["worker", "dropped"]
                .iter()
                .any(|name| seen.field(name).is_some())
        });
        (result, seen)
    }
}

/// What is seen of the workers of a run by a subscriber with this filter.
fn seen_with<T: Task>(filter: Targets, run: impl FnOnce() -> AsynPmap<T>, items: u64) -> Vec<Seen> {
    let call = || {
        let span = tracing::info_span!("the call");
        span.in_scope(|| complete(run(), items))
    };
    Memory::default().of_workers(filter, call).1
}

fn seen<T: Task>(level: Level, run: impl FnOnce() -> AsynPmap<T>, items: u64) -> Vec<Seen> {
    seen_with(Targets::new().with_default(level), run, items)
}

fn messages(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(Seen::message).collect()
}

/// Workers that send what is as important as this.
fn forwards(least: LevelFilter) -> WorkerOptions {
    WorkerOptions::new().forward_tracing(least)
}

fn one_worker(says: &[Say]) -> AsynPmap<speak> {
    asyn_pmap::<speak>(says.to_vec()).processes(1)
}

/// Case R41: `tracing` events of workers come out of the parent's subscriber: what it wants, and nothing else.
#[test_with(alone)]
fn what_the_parent_wants_and_nothing_else() {
    let all = ["an error", "a warning", "an info", "a debug", "a trace"];
    for (name, count) in ["error", "warn", "info", "debug", "trace"].iter().zip(1..) {
        let level = name.parse().unwrap();
        let mut seen = seen(level, || one_worker(&[Say::Levels]), 1);
        seen.retain(|seen| all.contains(&seen.message()));
        assert_eq!(messages(&seen), all[..count]);
    }
    for (least, count) in [(LevelFilter::WARN, 2), (LevelFilter::OFF, 0)] {
        let run = || one_worker(&[Say::Levels]).workers(forwards(least));
        assert_eq!(messages(&seen(Level::INFO, run, 1)), all[..count]);
    }
}

/// Filters of this process see events of workers as they see its own.
#[test_with(alone)]
fn a_filter_by_target() {
    let filter = Targets::new().with_target("elsewhere", Level::TRACE);
    let seen = seen_with(filter, || one_worker(&[Say::Levels]), 1);
    assert_eq!(messages(&seen), ["an info"]);
    assert_eq!(seen[0].target, "elsewhere");
}

/// Case M97: An event of a worker keeps its level, target, place and fields.
#[test_with(alone)]
fn an_event_has_what_it_had() {
    for event in seen(Level::INFO, || one_worker(&[Say::Fields, Say::Fields]), 2) {
        assert_eq!(event.level, Some(Level::INFO));
        assert_eq!(event.target, module_path!());
        assert_eq!(event.spans, ["the call"]);
        let (file, line) = event.place.clone().unwrap();
        assert!(file == file!() && line > 0);
        for (name, value) in [
            ("message", "values"),
            ("number", "7"),
            ("ok", "true"),
            ("name", "a \"name\""),
            ("list", "[1, 2]"),
            ("odd.one", "1.5"),
            ("worker", "0"),
        ] {
            assert_eq!(event.field(name), Some(value), "{event:?}");
        }
        let pid: u32 = event.field("pid").unwrap().parse().unwrap();
        assert!(pid > 0 && pid != std::process::id());
    }
}

/// Case M98: An event of a worker tells the worker and the item.
#[test_with(alone)]
fn an_event_knows_its_item() {
    let says = vec![Say::Levels; 50];
    let sync = seen(Level::ERROR, || one_worker(&says), 50);
    let run = || asyn_pmap::<speak_async>(says.clone()).processes(1);
    let asyn = seen(Level::ERROR, run, 50);
    for seen in [sync, asyn] {
        let items = seen.iter().map(|seen| seen.field("item").unwrap().parse());
        let items: BTreeSet<u32> = items.map(Result::unwrap).collect();
        assert_eq!(seen.len(), 50);
        assert!(items.into_iter().eq(0..50));
    }
    let seen = seen(Level::INFO, || one_worker(&[Say::Elsewhere]), 1);
    assert_eq!(messages(&seen), ["of a thread"]);
    assert_eq!(seen[0].field("item"), None);
}

/// More than there is room for: the rest is counted, in the events and in the stats.
///
/// Case M99: Events that had no room are counted.
#[test_with(alone)]
fn too_many_events_are_counted() {
    const COUNT: u32 = 40_000;
    let run = || complete(one_worker(&[Say::Many(COUNT), Say::Many(1)]), 2);
    let info = Targets::new().with_default(Level::INFO);
    let (report, seen) = Memory::default().of_workers(info, run);
    let dropped = seen.iter().filter_map(|seen| seen.field("dropped"));
    let told: u64 = dropped.map(|count| count.parse::<u64>().unwrap()).sum();
    let came = seen.iter().filter(|seen| seen.message() == "one of many");
    let came = came.count() as u64;
    assert!(told > 0 && came > 0);
    assert_eq!(report.stats.events_dropped + came, u64::from(COUNT) + 1);
    assert_eq!(told, report.stats.events_dropped, "all of it is told");
}

#[test_with(alone)]
fn a_long_event_is_cut() {
    let seen = seen(Level::INFO, || one_worker(&[Say::Long]), 1);
    let message = seen[0].message();
    assert!(message.starts_with("mmm") && message.ends_with("(cut)"));
    assert!(message.len() < 4096 && seen[0].field("value").unwrap().len() < 4096);
}

/// The very last events are there, though nobody had the time to send them.
///
/// Case M100: The last 16 events of a worker that dies are in its last words, sent or not.
#[test_with(alone)]
fn the_last_events_survive_a_crash() {
    let run = one_worker(&[Say::Die]).crash_limit(1).workers(discards());
    let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO);
    let report = with_default(subscriber, || complete(run, 1));
    let words = report.crash(0).0.last_words;
    let said: Vec<&str> = words.events().iter().map(|e| e.message.as_str()).collect();
    let expected = [&["nearly"; 15][..], &["goodbye\u{1b}[2J"]].concat();
    assert_eq!(said, expected);
    assert_eq!(words.events()[14].fields, [("n".into(), "19".into())]);
    assert_eq!(words.events()[15].item, Some(0));
    assert_eq!(words.events()[15].level, Level::WARN);
    let shown = report.error(0).to_string();
    assert!(shown.contains("goodbye\\u{1b}[2J (item 0) at "), "{shown}");
}

#[task]
fn say_in_init(_: ()) -> Result<(), String> {
    tracing::warn!("in init");
    Err("no".into())
}

/// Also of an init that fails: they are what explains it.
#[test_with(alone)]
fn events_of_an_init() {
    let run = || one_worker(&[Say::Levels]).init::<say_in_init>(());
    let seen = seen(Level::INFO, run, 1);
    assert_eq!(seen[0].message(), "in init");
    assert_eq!(seen[0].field("item"), None);
}

/// Sends every second event to the parent.
struct Half(Mutex<u32>);

impl<S: Subscriber> Layer<S> for Half {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        if *count % 2 == 1 {
            mt_pool::worker::forward_event(event);
        }
    }
}

#[task]
fn set_own(_: ()) {
    let half = Half(Mutex::default());
    tracing_subscriber::registry().with(half).init();
}

/// Case M101: A subscriber that the worker's program sets takes the place of forwarding.
#[test_with(alone)]
fn a_subscriber_of_the_worker_s_own() {
    let run = || one_worker(&[Say::Levels]).init::<set_own>(());
    let mut seen = seen(Level::INFO, run, 1);
    seen.retain(|seen| seen.target == module_path!() || seen.target == "elsewhere");
    assert_eq!(messages(&seen), ["an error", "an info"]);
}

/// Case M153: A worker in which events are forwarded refuses a subscriber that a task sets.
#[test_with(alone)]
fn a_subscriber_that_comes_late_is_told_so() {
    let memory = tracing_subscriber::registry().with(LevelFilter::INFO);
    let late = || values(one_worker(&[Say::Late]));
    assert_eq!(with_default(memory, late), [false]);
    // Without a subscriber here there is none there.
    assert_eq!(late(), [true]);
}

/// A shared worker sends what the run wants that it works for, to that run.
#[test_with(alone)]
fn a_worker_of_several_runs() {
    let pool = Pool::builder().processes(1).start().unwrap();
    let memory = Memory::default();
    let say = |name: &str, least: LevelFilter| {
        let run = one_worker(&[Say::Levels]).pool(&pool);
        let run = run.workers(forwards(least));
        let all = Targets::new().with_default(Level::TRACE);
        let (_, mut seen) = memory.of_workers(all, || {
            let span = tracing::info_span!("run", name);
            let run = span.in_scope(|| run.start().unwrap());
            assert!(run.into_iter().all(|outcome| outcome.is_ok()));
        });
        seen.retain(|seen| seen.spans == ["run"] && seen.field("item").is_some());
        messages(&seen).join(", ")
    };
    assert_eq!(say("one", LevelFilter::ERROR), "an error");
    let three = "an error, a warning, an info";
    assert_eq!(say("two", LevelFilter::INFO), three);
    assert_eq!(say("three", LevelFilter::OFF), "");
    assert_eq!(say("four", LevelFilter::WARN), "an error, a warning");
    assert_eq!(pool.workers(), 1);
}

/// A subscriber that does not come back holds up nobody but itself.
#[test_with(alone)]
fn a_subscriber_that_is_stuck() {
    struct Stuck;
    impl<S: Subscriber> Layer<S> for Stuck {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            while event.metadata().target().contains("tracing") {
                thread::park();
            }
        }
    }
    let subscriber = tracing_subscriber::registry()
        .with(Stuck)
        .with(LevelFilter::INFO);
    let says = vec![Say::Levels; 200];
    with_default(subscriber, || complete(one_worker(&says), 200)).values();
}

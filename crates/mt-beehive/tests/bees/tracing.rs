//! `tracing` events of worker bees come out in this process.

use std::sync::{Arc, Mutex};

use ::tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};
use mt_beehive::{BeehiveRun, CancelReason, DelegateError, Hive, hive_of, limits::WorkerOptions};

use crate::scene::{Live as _, check, reason};

/// A subscriber that keeps lines.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::INFO
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}:", metadata.level(), metadata.target()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Keeper {
    /// Keeps all from here on.
    fn install() -> Self {
        let keeper = Self::default();
        ::tracing::subscriber::set_global_default(keeper.clone()).unwrap();
        keeper
    }

    /// The line with this in it; there is exactly one.
    fn line(&self, with: &str) -> String {
        let lines = self.0.lock().unwrap();
        let mut found = lines.iter().filter(|line| line.contains(with));
        let line = found
            .next()
            .unwrap_or_else(|| panic!("no {with:?}: {lines:#?}"));
        assert_eq!(found.next(), None, "twice");
        line.clone()
    }
}

struct Teller;

#[mt_beehive::worker]
impl Teller {
    fn new() -> Self {
        ::tracing::info!("she is made");
        Self
    }

    #[task]
    async fn tell(&self, what: String) -> u32 {
        ::tracing::debug!("nobody wants to know");
        ::tracing::info!(what, "a task tells");
        std::process::id()
    }

    #[task]
    async fn abort(&self) {
        ::tracing::warn!("this is the end");
        std::process::abort()
    }
}

#[derive(Default)]
struct Above;

#[mt_beehive::worker(worker = Teller)]
impl Above {
    fn hive(&self) -> BeehiveRun<Teller> {
        tellers()
    }

    #[task]
    async fn tell(&self, hive: &Hive<Teller>) -> Result<u32, DelegateError> {
        hive.tell("from below".to_owned()).await
    }
}

fn tellers() -> BeehiveRun<Teller> {
    hive_of::<Teller>(()).processes(1)
}

#[test]
fn events_of_a_bee_are_emitted_here_by_the_end_of_the_run() {
    check(async || {
        let keeper = Keeper::install();
        let run = tellers().live(async |hive| hive.tell("a thing".to_owned()).await);
        let pid = run.await.unwrap().unwrap();
        let made = keeper.line("she is made");
        assert!(made.starts_with("INFO bees::tracing:"), "{made}");
        let told = keeper.line("a task tells");
        assert!(told.contains(" what=a thing"), "{told}");
        assert!(told.contains(&format!(" worker=0 pid={pid}")), "{told}");
        let lines = keeper.0.lock().unwrap();
        assert!(!lines.iter().any(|line| line.contains("nobody")));
    });
}

#[test]
fn events_from_two_levels_below_are_emitted_here() {
    check(async || {
        let keeper = Keeper::install();
        let hive = hive_of::<Above>(()).processes(1);
        let told = hive.live(async |hive| hive.tell().await).await;
        told.unwrap().unwrap();
        assert!(keeper.line("a task tells").contains("from below"));
    });
}

#[test]
fn a_bee_that_is_lost_is_a_warning_and_one_that_is_told_to_die_is_not() {
    check(async || {
        let keeper = Keeper::install();
        let run = tellers().crash_limit(1).live(async |hive| {
            let _ = hive.abort().await;
            hive.tell("a thing".to_owned()).with_bee().await
        });
        assert_eq!(run.await.unwrap().1, Some(1));
        let lost = keeper.line("a worker bee is lost");
        assert!(lost.starts_with("WARN mt_beehive"), "{lost}");
        assert!(lost.contains("bee=0") && lost.contains("SIGABRT"), "{lost}");
    });
}

#[test]
fn the_last_events_of_a_bee_are_among_her_last_words() {
    check(async || {
        let warnings = WorkerOptions::new().forward_tracing(LevelFilter::WARN);
        let hive = tellers().crash_limit(1).workers(warnings);
        let aborted = hive.live(async |hive| hive.abort().await).await.unwrap();
        let reason = reason(aborted);
        let CancelReason::WorkerLost { death, .. } = &reason else {
            panic!("{reason}");
        };
        let events = death.last_words.events();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].message, "this is the end");
        let shown = reason.to_string();
        let (_, words) = shown.split_once("; its last words:\n").unwrap();
        assert!(
            words.contains("WARN bees::tracing: this is the end"),
            "{words}"
        );
    });
}

//! `tracing` events of worker bees come out in this process.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use ::tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span, subscriber,
};
use mt_beehive::{
    BeehiveRun, DelegateError, Hive, hive_of,
    limits::{Deadlines, WorkerOptions},
    supervision::{LivenessPolicy, Verdict},
};

use crate::{
    doer::DoerTasks,
    scene::{
        Folder, Live as _, beside, check_async, hive, lost, quick, reason, stop, test_with, until,
        watched,
    },
};

/// Hears of the events of a level and of those that matter more.
pub(crate) struct Hears<F>(pub(crate) Level, pub(crate) F);

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Subscriber for Hears<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.0
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.into())
    }

    fn event(&self, event: &Event<'_>) {
        (self.1)(event);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

/// The events from here on, as lines.
#[derive(Clone, Default)]
pub(crate) struct Keeper(Arc<Mutex<Vec<String>>>);

impl Keeper {
    pub(crate) fn install() -> Self {
        Self::of(Level::INFO)
    }

    fn of(level: Level) -> Self {
        let keeper = Self::default();
        let lines = Arc::clone(&keeper.0);
        let keep = move |event: &Event<'_>| {
            let metadata = event.metadata();
            let mut line = Line(format!("{} {}:", metadata.level(), metadata.target()));
            event.record(&mut line);
            lines.lock().unwrap().push(line.0);
        };
        subscriber::set_global_default(Hears(level, keep)).unwrap();
        keeper
    }

    /// Whether there is a line with this in it.
    pub(crate) fn tells(&self, with: &str) -> bool {
        self.0
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains(with))
    }

    /// The line with this in it; there is exactly one.
    pub(crate) fn line(&self, with: &str) -> String {
        let lines = self.0.lock().unwrap();
        let found: Vec<_> = lines.iter().filter(|line| line.contains(with)).collect();
        assert_eq!(found.len(), 1, "{with:?}: {lines:#?}");
        found[0].clone()
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
    hive_of::<Teller>(()).processes(1).crash_limit(1)
}

/// Case H58: `tracing` events of bees come out of the subscriber of the queen's process, by the end of the run.
#[test_with(check_async)]
async fn events_of_a_bee_are_emitted_here_by_the_end_of_the_run() {
    let keeper = Keeper::install();
    let run = tellers().live(async |hive| hive.tell("a thing".to_owned()).await);
    let pid = run.await.unwrap();
    let made = keeper.line("she is made");
    assert!(made.starts_with("INFO processes::tracing:"), "{made}");
    let told = keeper.line("a task tells");
    assert!(told.contains(" what=a thing"), "{told}");
    assert!(told.contains(&format!(" worker=0 pid={pid}")), "{told}");
    let lines = keeper.0.lock().unwrap();
    assert!(!lines.iter().any(|line| line.contains("nobody")));
}

/// Case H57: Every message between bees is a `tracing` event of level debug, target `mt_beehive`.
#[test_with(check_async)]
async fn messages_between_bees_are_events_of_level_debug() {
    let keeper = Keeper::of(Level::DEBUG);
    let run = tellers().live(async |hive| hive.tell("a thing".to_owned()).await);
    run.await.unwrap();
    let lines = keeper.0.lock().unwrap();
    let messages = lines
        .iter()
        .filter(|line| line.starts_with("DEBUG mt_beehive: "));
    let messages: Vec<_> = messages.collect();
    // An auction with one bee, and its end.
    let said = [
        "Ready",
        "NewTask",
        "TaskAccepted",
        "TaskInfo",
        "TaskDone",
        "Die",
        "Dead",
    ];
    for name in said {
        let message = format!("msg={name}");
        let times = messages.iter().filter(|line| line.contains(&message));
        assert_eq!(times.count(), 1, "{name}: {messages:#?}");
    }
}

#[test_with(check_async)]
async fn events_from_two_levels_below_are_emitted_here() {
    let keeper = Keeper::install();
    let hive = hive_of::<Above>(()).processes(1);
    hive.live(async |hive| hive.tell().await).await.unwrap();
    assert!(keeper.line("a task tells").contains("from below"));
}

/// Case H56: A bee that is lost is a warning, and one that is told to die is none.
#[test_with(check_async)]
async fn a_bee_that_is_lost_is_a_warning_and_one_that_is_told_to_die_is_not() {
    let keeper = Keeper::install();
    let run = tellers().live(async |hive| {
        let _ = hive.abort().await;
        hive.tell("a thing".to_owned()).with_bee().await
    });
    assert_eq!(run.await.1, Some(1));
    let lost = keeper.line("a worker bee is lost");
    assert!(lost.starts_with("WARN mt_beehive"), "{lost}");
    assert!(lost.contains("bee=0") && lost.contains("SIGABRT"), "{lost}");
}

/// A hive that is to end and waits for a task that may never end says so, with the task's name.
#[test_with(check_async)]
async fn a_hive_that_is_kept_from_its_end_says_so() {
    let keeper = Keeper::install();
    let graces = Deadlines::new().exit_grace(Duration::ZERO);
    let hive = hive(1).deadlines(graces).start().unwrap();
    let (folder, kept) = (Folder::temp(), hive.clone());
    let noted = folder.clone();
    let wait = tokio::spawn(async move { kept.wait(noted).await });
    let told = until(|| {
        let lines = keeper.0.lock().unwrap();
        lines.iter().any(|line| line.contains("a hive is to end"))
    });
    hive.pid().await.unwrap();
    beside(hive.shutdown(), told).await;
    wait.abort();
    let lines = keeper.0.lock().unwrap();
    let told = lines.iter().find(|line| line.contains("a hive is to end"));
    let told = told.unwrap();
    assert!(told.contains("tasks=1 oldest=\"wait\""), "{told}");
}

/// Case H59: The last events of a bee that dies are part of why its task is lost.
#[test_with(check_async)]
async fn the_last_events_of_a_bee_are_among_her_last_words() {
    let warnings = WorkerOptions::new().forward_tracing(LevelFilter::WARN);
    let hive = tellers().workers(warnings);
    let aborted = hive.live(async |hive| hive.abort().await).await;
    let (death, _) = lost(aborted.clone());
    let events = death.last_words.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].message, "this is the end");
    let shown = reason(aborted).to_string();
    let (_, words) = shown.split_once("; its last words:\n").unwrap();
    let event = "WARN processes::tracing: this is the end";
    assert!(words.contains(event), "{words}");
}

/// Loses bees, of which a subscriber is told.
async fn lose_bees(hear: impl Fn(&Event<'_>) + Send + Sync + 'static) {
    subscriber::set_global_default(Hears(Level::WARN, hear)).unwrap();
    let policy = LivenessPolicy {
        stopped: Verdict::Kill,
        ..quick()
    };
    let run = hive(1).workers(watched(policy)).live(async |hive| {
        for _ in 0..3 {
            let first = hive.pid().await.unwrap();
            stop(first);
            assert_ne!(hive.pid().await.unwrap(), first);
        }
    });
    run.await;
}

#[test]
fn a_subscriber_that_panics_harms_nobody() {
    check_async(async || lose_bees(|_| panic!("a subscriber may panic")).await);
}

#[test]
fn a_subscriber_that_blocks_harms_nobody() {
    check_async(async || lose_bees(|_| std::thread::park()).await);
}

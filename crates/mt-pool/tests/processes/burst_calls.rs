//! What is called in the parent panics there, with a payload whose own drop panics once more: callbacks, predicates,
//! subscribers, wakers, errors that are shown, works in this process. Every item has its outcome all the same.

use std::{
    panic,
    pin::pin,
    task::{self, Poll, Wake},
};

use futures::Stream;
use mt_pool::{
    Context,
    works::{Progress, asyn_work_generator, progress_queue, run_asyn_works_in_context},
};
use serde::{Deserialize, Serialize};
use tracing::{Event, Metadata, Subscriber, span, subscriber::with_default};

use crate::{
    bursting::raise,
    prelude::*,
    touchy::{At, Both, Dropped, Never, Read, Returned, Sent, burst, touchy, unshown},
};

/// A captured value that bursts when the closure that has it is dropped, and a call that does when told to.
fn closure(at: At) -> impl Fn() + Send + Sync {
    let held = Arc::new(Mutex::new(touchy(at)));
    move || {
        if held
            .lock()
            .is_ok_and(|held| [Sent, Both].contains(&held.at))
        {
            burst();
        }
    }
}

/// Case 2: A callback, or a predicate, that panics when it is called or when it is dropped changes nothing.
#[test_with(unshown)]
fn callbacks() {
    for at in [Sent, Dropped, Both] {
        let (observe, report) = (closure(at), closure(at));
        let run = asyn_pmap::<double>(0..100).observe(move |_| observe());
        let run = run.start().unwrap().on_progress(move |_| report());
        assert_eq!(run.into_iter().filter(Result::is_ok).count(), 100);

        let judge = closure(at);
        let retries = Retries::new(2).only_if(move |_: &Returned| {
            judge();
            true
        });
        let pause = Duration::from_millis(1);
        let run = asyn_pmap::<raise>([Never, Sent, Dropped, Read]);
        let report = complete(run.retries(retries.pause(pause, pause)), 4);
        assert_eq!(report.failed(), [1, 2, 3]);
        let tries = [1, 2, 3].map(|index| report.error(index).attempts());
        let judged = if at == Dropped { 3 } else { 1 };
        assert_eq!(
            tries,
            [judged, judged, 1],
            "one that is not read is not judged"
        );
        std::mem::forget(report);
    }
}

/// A subscriber that bursts in one of its methods.
#[derive(Clone, Copy, PartialEq)]
enum In {
    Event,
    Enter,
    Exit,
    Clone,
    Close,
}

struct Bursts(In);

impl Bursts {
    fn at(&self, place: In) {
        // What the test's own thread does is its own affair.
        let ours = thread::current();
        if self.0 == place && ours.name().is_some_and(|name| name.starts_with("mt-")) {
            burst();
        }
    }
}

impl Subscriber for Bursts {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {
        self.at(In::Event);
    }

    fn enter(&self, _: &span::Id) {
        self.at(In::Enter);
    }

    fn exit(&self, _: &span::Id) {
        self.at(In::Exit);
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        self.at(In::Clone);
        id.clone()
    }

    fn try_close(&self, _: span::Id) -> bool {
        self.at(In::Close);
        true
    }
}

#[task]
fn says(n: u64) -> u64 {
    tracing::info!(n, "an item");
    n
}

/// Case 2: A subscriber of `tracing` that panics, wherever, costs no outcome.
#[test_with(unshown)]
fn subscribers() {
    for place in [In::Event, In::Enter, In::Exit, In::Clone, In::Close] {
        with_default(Bursts(place), || {
            let span = tracing::info_span!("a run");
            let run = span.in_scope(|| asyn_pmap::<says>(0..100).start().unwrap());
            assert_eq!(run.into_iter().filter(Result::is_ok).count(), 100);
            let dies = [Deed::Abort, Deed::Return(1)];
            let report = span.in_scope(|| complete(asyn_pmap::<act>(dies).crash_limit(1), 2));
            assert_eq!(report.failed(), [0]);
        });
    }
}

/// A waker that bursts when it wakes.
struct Waking;

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        burst();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        burst();
    }
}

/// Polls. A waker that is woken while it registers is woken on its own thread, and what it does there is the caller's own.
fn survived<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
    panic::catch_unwind(panic::AssertUnwindSafe(poll)).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        Poll::Pending
    })
}

/// Case 2: A waker of the caller's that panics ends nothing but its own waiting.
#[test_with(unshown)]
fn wakers() {
    let waker = Arc::new(Waking).into();
    let mut cx = task::Context::from_waker(&waker);
    let run = asyn_pmap::<double>(0..3000).capacity(10).start().unwrap();
    let mut events = run.events();
    let mut run = pin!(run);
    let mut taken = 0;
    wait_until(|| {
        let _ = survived(|| pin!(events.next()).poll(&mut cx));
        loop {
            match survived(|| run.as_mut().poll_next(&mut cx)) {
                Poll::Pending => return false,
                Poll::Ready(Some(outcome)) => taken += u64::from(outcome.is_ok()),
                Poll::Ready(None) => return true,
            }
        }
    });
    assert_eq!(taken, 3000);
}

/// Case 2: A panic in the caller's own loop goes through, and leaves no process and no thread behind.
#[test_with(unshown)]
fn the_callers_own_loop() {
    let looping = thread::spawn(|| {
        for outcome in asyn_pmap::<double>(0..).start().unwrap() {
            assert_ne!(outcome.unwrap(), 20, "the loop's own panic");
        }
    });
    assert!(looping.join().is_err());
    assert_eq!(children(), [0_u32; 0]);
    wait_until(|| threads_named("mt-feeder") + threads_named("mt-supervisor") == 0);
}

/// An error that bursts when it is shown.
#[derive(Debug, Serialize, Deserialize)]
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        burst()
    }
}

impl std::error::Error for Unspeakable {}

#[task]
fn speechless(n: u64) -> Result<u64, Unspeakable> {
    match n {
        1 => Err(Unspeakable),
        n => Ok(n),
    }
}

/// Case 2: An error whose `Display` panics is told of all the same, in the works' progress too.
#[test_with(unshown)]
fn errors_that_are_shown() {
    let (sender, progress) = progress_queue(100);
    let works = asyn_work_generator::<speechless>(3).progress_queue(sender);
    let outcomes: Vec<_> = works.start().unwrap().into_iter().collect();
    assert_eq!(outcomes.len(), 3);
    let raised = progress.into_iter().filter_map(|message| match message {
        Progress::TaskRaised { error, .. } => Some(error),
        _ => None,
    });
    let raised: Vec<_> = raised.collect();
    assert!(
        matches!(&raised[..], [why] if why.contains("`Display` panicked")),
        "{raised:?}"
    );
}

/// A context that bursts on its way, in this process.
struct Place(At);

impl Context for Place {
    type Config = At;
    type Error = Unspeakable;

    async fn open(at: &At) -> Result<Self, Unspeakable> {
        match at {
            Sent => burst(),
            Read => Err(Unspeakable),
            at => Ok(Self(*at)),
        }
    }

    async fn close(self) -> Result<(), Unspeakable> {
        match self.0 {
            Both => burst(),
            Dropped => Err(Unspeakable),
            _ => Ok(()),
        }
    }
}

#[task]
async fn in_place(#[context] _place: &Place, n: u64) -> u64 {
    match n {
        1 => burst(),
        n => n,
    }
}

/// Case 2: Works in this process go on after a panic of theirs, of their context or of its error's `Display`.
#[test_with(unshown)]
fn works_in_this_process() {
    for at in [Never, Sent, Read, Both, Dropped] {
        let works = WorkIterator::<in_place>::builder().serial_mode(true);
        let works = works
            .num_works(4)
            .configure(|run| run.context(at))
            .start()
            .unwrap();
        let ids = thread::scope(|scope| {
            let take = || works.iter().map(|item| item.unwrap()).collect::<Vec<_>>();
            let two = [scope.spawn(take), scope.spawn(take)];
            two.into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        });
        let opens = ![Sent, Read].contains(&at);
        let done = ids.iter().filter(|(_, outcome)| outcome.is_ok()).count();
        assert_eq!((ids.len(), done), (4, if opens { 3 } else { 0 }), "{at:?}");

        let (sender, progress) = progress_queue(100);
        let run = run_asyn_works_in_context::<in_place>(sender);
        let counts = block_on(run.context(at).work_id_list(0..4).run()).unwrap();
        assert_eq!(counts.returned, done as u64, "{at:?}");
        assert_eq!(counts.raised + counts.returned, 4);
        drop(progress);
    }
}

//! Single calls: their deadlines, their ends, and who shares a thread.

mod prepared;

use std::time::{Duration, Instant};

use mt_ipc::Turn;
use mt_proto::{Deadline, ItemIndex, WorkerId};

use super::{
    super::{AHEAD_OF_CALLS, Delivery, Dispatch, Effect, End, Event, Look, Lost, Terms, WakeAt},
    model::{A, B, config},
    payload::{cancelled, error, items},
};
use crate::{
    fair_line::{Caller, Rank},
    limits::Retries,
    supervision::{Death, DeathCause, WorkerEnd},
};

const LIMIT: Duration = Duration::from_millis(500);
const MOMENT: Duration = Duration::from_millis(1);

/// The machine of a pool's calls, with what it has asked for.
struct Calls {
    dispatch: Dispatch,
    now: Instant,
    made: u64,
    sent: Vec<(WorkerId, u64)>,
    killed: Vec<WorkerId>,
    withdrawn: Vec<(WorkerId, u64)>,
    /// What workers were told of, after so many calls were sent.
    prepared: Vec<(WorkerId, u64, usize)>,
    ends: Vec<(u64, &'static str)>,
}

impl Calls {
    /// With so many workers, which are ready.
    fn with(workers: u32) -> Self {
        let dispatch = Dispatch::new(super::super::DispatchConfig {
            processes: workers,
            min_processes: workers,
            ordered: false,
            takes_all: true,
            ahead: AHEAD_OF_CALLS,
            most_shared: 4,
            ..config()
        });
        let mut calls = Self {
            dispatch,
            now: Instant::now(),
            made: 0,
            sent: Vec::new(),
            killed: Vec::new(),
            withdrawn: Vec::new(),
            prepared: Vec::new(),
            ends: Vec::new(),
        };
        calls.tell(Event::Tick);
        (0..workers).for_each(|worker| calls.tell(Event::Ready(WorkerId(worker))));
        calls
    }

    fn tell(&mut self, event: Event) {
        self.dispatch.handle(self.now, event);
        while let Some(effect) = self.dispatch.poll_effect() {
            match effect {
                Effect::Send(worker, run, _) => {
                    let sent = run.first.0..run.end().0;
                    self.sent.extend(sent.map(|call| (worker, call)));
                }
                Effect::Kill(worker, _) => self.killed.push(worker),
                Effect::Deliver(delivery) => {
                    let end = end_of(&delivery);
                    let indices = delivery.indices();
                    self.ends.extend(indices.map(|index| (index.0, end)));
                }
                Effect::Withdraw(worker, call) => self.withdrawn.push((worker, call.0)),
                Effect::Prepare(worker, prepared) => {
                    let sent = self.sent.len();
                    self.prepared.push((worker, prepared.id.0, sent));
                }
                Effect::Spawn(_) => {}
                other => panic!("nobody asked for {other:?}"),
            }
        }
    }

    fn call(&mut self, terms: Terms) {
        let call = items(self.made, 1);
        self.made += 1;
        self.tell(Event::Calls(vec![(call, terms)]));
    }

    fn calls(&mut self, count: u32) {
        (0..count).for_each(|_| self.call(Terms::default()));
    }

    fn withdraw(&mut self, call: u64) {
        self.tell(Event::Withdraw(ItemIndex(call)));
    }

    /// Time passes, with looks at a worker that has started so many and is at the last.
    fn pass(&mut self, worker: WorkerId, started: u64, time: Duration) {
        for _ in 0..10 {
            let look = Look {
                started,
                finished: started - 1,
                in_order: false,
                turn: Some(Turn {
                    place: started - 1,
                    number: 1,
                }),
            };
            self.now += time / 10;
            self.tell(Event::Look(worker, look));
            self.tell(Event::Tick);
        }
    }

    fn gone(&mut self, worker: WorkerId, started: u64) {
        let cause = match self.killed.contains(&worker) {
            true => DeathCause::Overran,
            false => DeathCause::Itself,
        };
        self.tell(Event::Gone(
            worker,
            WorkerEnd {
                started,
                finished: started.saturating_sub(1),
                captured: None,
                failure: None,
                said_bye: false,
                died_first: false,
                death: Death::new(Default::default(), cause),
            },
        ));
    }

    /// What was sent to a worker.
    fn of(&self, worker: WorkerId) -> Vec<u64> {
        let sent = self.sent.iter().filter(|(to, _)| *to == worker);
        sent.map(|(_, call)| *call).collect()
    }
}

fn end_of(delivery: &Delivery) -> &'static str {
    let Delivery::Apart(apart) = delivery else {
        return "done";
    };
    match &apart.end {
        End::Told(_) => "told",
        End::Lost(Lost::Cancelled) => "cancelled",
        End::Lost(Lost::TimedOut { deadline, limit }) => {
            assert_eq!(*limit, LIMIT);
            match deadline {
                Deadline::Queue => "waited",
                _ => "overran",
            }
        }
        End::Lost(_) => "lost",
    }
}

/// A plain call wakes the driver if a worker has room for it: who has none makes room by an outcome, which wakes it.
#[test]
fn calls_that_nobody_has_room_for_wake_nobody() {
    let mut calls = Calls::with(2);
    assert_eq!(calls.dispatch.worth_waking_for(), WakeAt::EACH);
    calls.calls(1);
    assert_eq!(calls.dispatch.worth_waking_for(), WakeAt::EACH);
    calls.calls(20);
    assert!(calls.dispatch.worth_waking_for().first > 1);
}

/// Case M174: A call that nobody waits for any more is not given out, wherever in the queue it is, and no other is lost.
#[test]
fn a_call_that_waits_is_withdrawn() {
    for gone in 2..8 {
        let mut calls = Calls::with(1);
        calls.calls(8);
        calls.withdraw(gone);
        assert_eq!(calls.ends, [(gone, "cancelled")]);
        for call in (0..8).filter(|call| *call != gone) {
            calls.tell(Event::Results(A, items(call, 1)));
        }
        let left: Vec<_> = (0..8).filter(|call| *call != gone).collect();
        assert_eq!(calls.of(A), left);
        assert_eq!(calls.ends.len(), 8);
    }
}

/// Case M175: A call that is withdrawn while it runs ends with its worker when its grace is over, and its mates run again.
#[test]
fn a_call_that_runs_is_ended_when_it_is_withdrawn() {
    let mut calls = Calls::with(1);
    calls.calls(2);
    calls.withdraw(0);
    assert_eq!(calls.withdrawn, [(A, 0)], "its worker is told");
    calls.pass(A, 1, Duration::from_millis(90));
    assert!(calls.killed.is_empty() && calls.ends.is_empty());
    calls.pass(A, 1, Duration::from_millis(20));
    assert_eq!(calls.killed, [A]);
    calls.gone(A, 1);
    assert_eq!(calls.ends, [(0, "cancelled")]);
    calls.now += Duration::from_secs(1);
    calls.tell(Event::Tick);
    calls.tell(Event::Ready(B));
    assert_eq!(calls.of(B), [1]);
}

/// Case M176: A call that ends by itself after it was withdrawn costs no worker.
#[test]
fn a_call_that_ends_in_its_grace_costs_no_worker() {
    let mut calls = Calls::with(1);
    calls.calls(1);
    calls.withdraw(0);
    calls.pass(A, 1, Duration::from_millis(50));
    calls.tell(Event::Results(A, items(0, 1)));
    calls.now += LIMIT;
    calls.tell(Event::Tick);
    assert!(calls.killed.is_empty());
    assert_eq!(calls.ends, [(0, "done")]);
}

/// Case M177: Each call has a time to wait and a time to run of its own.
#[test]
fn deadlines_are_a_calls_own() {
    let mut calls = Calls::with(1);
    let hard = Some(LIMIT);
    calls.call(Terms {
        hard,
        ..Terms::default()
    });
    calls.calls(2);
    let queue = Some(LIMIT);
    calls.call(Terms {
        queue,
        ..Terms::default()
    });
    let due = calls.now + 5 * MOMENT;
    assert_eq!(
        calls.dispatch.poll_timeout(),
        Some(due),
        "one waits behind another"
    );
    calls.pass(A, 1, LIMIT);
    assert_eq!(calls.ends, [(3, "waited")]);
    calls.pass(A, 1, 100 * MOMENT);
    assert_eq!(calls.killed, [A]);
    calls.gone(A, 1);
    assert_eq!(calls.ends, [(3, "waited"), (0, "overran")]);
    calls.now += Duration::from_secs(1);
    calls.tell(Event::Tick);
    calls.tell(Event::Ready(B));
    assert_eq!(calls.of(B), [1, 2], "the others run again");
}

/// Case M178: Calls of `async fn`s have places of their own in a worker, so many; plain ones get a worker that is free.
#[test]
fn calls_share_a_thread_if_they_may() {
    let shares = || Terms {
        shares: true,
        ..Terms::default()
    };
    let mut calls = Calls::with(2);
    (0..10).for_each(|_| calls.call(shares()));
    assert_eq!((calls.of(A).len(), calls.of(B).len()), (4, 4));
    calls.calls(3);
    assert_eq!(
        (calls.of(A)[4..].to_vec(), calls.of(B)[4..].to_vec()),
        (vec![10, 12], vec![11]),
        "one runs, one waits"
    );
    calls.tell(Event::Results(A, items(10, 1)));
    calls.tell(Event::Results(A, items(12, 1)));
    calls.call(shares());
    assert_eq!(
        calls.of(A).len() + calls.of(B).len(),
        11,
        "there is no place"
    );
    calls.tell(Event::Results(B, items(calls.of(B)[0], 1)));
    assert_eq!(calls.of(B).last(), Some(&8), "in the order they came");
}

/// Case M203: Calls that wait are given out by priority, and round robin among callers; those that come back go first.
#[test]
fn calls_are_given_out_in_turn() {
    let of = |priority, caller| Terms {
        rank: Rank {
            priority,
            caller: Caller::Named(caller),
        },
        ..Terms::default()
    };
    let mut calls = Calls::with(1);
    calls.calls(1);
    (0..3).for_each(|_| calls.call(of(0, 1))); // 1, which is sent ahead, 2, 3
    calls.call(of(0, 2)); // 4
    calls.call(of(1, 3)); // 5
    let mut done = 0;
    while calls.ends.len() < 6 {
        let next = calls.of(A)[done];
        done += 1;
        calls.tell(Event::Results(A, items(next, 1)));
    }
    assert_eq!(calls.of(A), [0, 1, 5, 2, 4, 3]);
}

/// Case M204: A call of an `async fn` that only waits costs no worker when nobody waits for it; a plain one behind which it
/// waits does not end for it either.
#[test]
fn a_call_that_only_waits_costs_no_worker() {
    let shares = Terms {
        shares: true,
        ..Terms::default()
    };
    let mut calls = Calls::with(1);
    calls.call(shares);
    calls.calls(1);
    calls.withdraw(0);
    calls.pass(A, 2, LIMIT);
    assert!(calls.killed.is_empty());
    calls.tell(Event::Results(A, items(0, 2)));
    assert_eq!(calls.ends, [(0, "done"), (1, "done")]);
}

/// Case M205: An error of a call that is tried again comes back after its pause, unless nobody waits for the call.
#[test]
fn errors_of_calls_are_tried_again() {
    for gives_up in [false, true] {
        let mut calls = Calls::with(1);
        calls.call(Terms {
            retries: Retries::new(1),
            ..Terms::default()
        });
        if gives_up {
            calls.withdraw(0);
        }
        calls.tell(Event::Results(A, error(0)));
        if gives_up {
            assert_eq!(calls.ends, [(0, "cancelled")]);
            continue;
        }
        assert!(calls.ends.is_empty());
        calls.now += LIMIT;
        calls.tell(Event::Tick);
        assert_eq!(calls.of(A), [0, 0]);
        calls.tell(Event::Results(A, error(0)));
        assert_eq!(calls.ends, [(0, "told")]);
    }
}

/// Calls of a millisecond, of which two workers have two each: 0 and 2, 1 and 3.
fn two_each(calls: &mut Calls) {
    calls.calls(4);
    assert_eq!((calls.of(A), calls.of(B)), (vec![0, 2], vec![1, 3]));
}

/// Case M213: What waits in a worker behind a call that takes long is taken back, and goes first to another.
#[test]
fn what_waits_behind_a_long_call_is_taken_back() {
    let mut calls = Calls::with(2);
    two_each(&mut calls);
    calls.calls(1);
    calls.now += 3 * MOMENT;
    calls.tell(Event::Results(B, items(1, 1)));
    assert_eq!(calls.of(B), [1, 3, 4]);
    calls.now += 2 * MOMENT;
    calls.tell(Event::Tick);
    assert_eq!(calls.withdrawn, [(A, 2)], "the other worker goes on");
    calls.calls(1);
    calls.tell(Event::Results(A, cancelled(2)));
    assert!(calls.killed.is_empty());
    calls.tell(Event::Results(B, items(3, 1)));
    assert_eq!(calls.of(B), [1, 3, 4, 2], "before those that came later");
    assert_eq!(
        calls.of(A),
        [0, 2],
        "nothing more waits behind the long one"
    );
    for (worker, call) in [(A, 0), (B, 4), (B, 2), (A, 5)] {
        calls.tell(Event::Results(worker, items(call, 1)));
    }
    assert_eq!(calls.of(A), [0, 2, 5]);
    assert!(calls.ends.iter().all(|(_, end)| *end == "done"));
    assert_eq!(calls.ends.len(), 6, "each once");
    assert_eq!(calls.dispatch.poll_timeout(), None);
}

/// Case M214: A call that is begun before it can be taken back stays where it is, and ends once.
#[test]
fn a_call_that_is_begun_is_not_taken_back() {
    let mut calls = Calls::with(2);
    two_each(&mut calls);
    calls.now += 5 * MOMENT;
    calls.tell(Event::Tick);
    assert_eq!(calls.withdrawn, [(A, 2), (B, 3)]);
    for (worker, call) in [(A, 0), (A, 2), (B, 1), (B, 3)] {
        calls.tell(Event::Results(worker, items(call, 1)));
    }
    assert_eq!(calls.ends.len(), 4);
    calls.now += LIMIT;
    calls.tell(Event::Tick);
    assert!(calls.killed.is_empty(), "somebody waits for it");
}

/// Case M215: A call that nobody waits for any more while it is taken back is cancelled, and one whose worker dies comes back
/// like any other.
#[test]
fn a_call_that_is_taken_back_may_end_otherwise() {
    for dies in [false, true] {
        let mut calls = Calls::with(2);
        two_each(&mut calls);
        calls.now += 5 * MOMENT;
        calls.tell(Event::Tick);
        if dies {
            calls.gone(A, 1);
            for call in [1, 3, 0] {
                calls.tell(Event::Results(B, items(call, 1)));
            }
            assert_eq!(calls.sent.iter().filter(|(_, call)| *call == 2).count(), 2);
        } else {
            calls.withdraw(2);
            calls.tell(Event::Results(A, cancelled(2)));
            assert_eq!(calls.ends, [(2, "cancelled")]);
        }
    }
}

/// Case M229: How long a call was in the queue is told until its last worker had it, and of none that ends in no worker.
#[test]
fn times_are_those_of_the_last_worker() {
    let mut calls = Calls::with(1);
    let begin = calls.now;
    let told = |calls: &mut Calls| -> Vec<_> {
        let ended = calls.dispatch.ended_calls();
        let told = ended.map(|times| (times.queued, times.given - begin, times.count));
        told.collect()
    };
    calls.calls(3); // 0 runs, 1 is sent ahead, 2 waits
    calls.now += MOMENT;
    calls.tell(Event::Results(A, items(0, 1)));
    assert_eq!(told(&mut calls), [(Duration::ZERO, Duration::ZERO, 1)]);
    calls.now += MOMENT;
    calls.gone(A, 2);
    calls.now += MOMENT;
    calls.tell(Event::Ready(B));
    assert!(told(&mut calls).is_empty(), "they are in the queue again");
    calls.now += MOMENT;
    let first = calls.of(B)[0];
    calls.tell(Event::Results(B, items(first, 1)));
    assert_eq!(told(&mut calls), [(3 * MOMENT, 3 * MOMENT, 1)]);
    let second = calls.of(B)[1];
    calls.tell(Event::Results(B, items(second, 1)));
    assert_eq!(told(&mut calls).len(), 1);
    let queue = Some(LIMIT);
    calls.calls(2);
    calls.call(Terms {
        queue,
        ..Terms::default()
    });
    calls.now += LIMIT;
    calls.tell(Event::Tick);
    assert_eq!(calls.ends.last(), Some(&(5, "waited")));
    assert!(told(&mut calls).is_empty());
}

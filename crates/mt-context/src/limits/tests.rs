//! Queues of hosts in virtual time against what they promise, and the limiter on a paused clock.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{FutureExt, future::join_all};
use proptest::{
    collection::vec,
    option,
    prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest},
    test_runner::Config,
};

use super::{
    Admission, HostLimiter, HostLimits, RateLimit,
    host_queue::{HostQueue, Turn},
};

const MS: Duration = Duration::from_millis(1);
const HOST: &str = "http://a.example";

/// What happens to a host's queue.
#[derive(Debug, Clone, Copy)]
enum Step {
    Enter,
    /// The one at this place among those that wait, as far as there is one.
    GiveUp(usize),
    Leave,
    Pass(Duration),
    Close(Duration),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => any::<()>().prop_map(|()| Step::Enter),
        1 => (0..4_usize).prop_map(Step::GiveUp),
        3 => any::<()>().prop_map(|()| Step::Leave),
        3 => (0..50_u32).prop_map(|ms| Step::Pass(ms * MS)),
        1 => (0..50_u32).prop_map(|ms| Step::Close(ms * MS)),
    ];
    vec(step, 1..200)
}

fn rates() -> impl Strategy<Value = RateLimit> {
    let parts = (1..20_u32, 1..200_u32, 1..5_u32);
    parts.prop_map(|(requests, per, burst)| RateLimit::new(requests, per * MS).burst(burst))
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    /// Case C9: At a host, never more run at once than its limit; never more begin in any time than its rate and burst
    /// allow, none while it is to be left alone; who came first begins first; and nobody waits who could begin.
    #[test]
    fn a_queue_keeps_its_limits(steps in steps(), most in 1..4_u32, rate in option::of(rates())) {
        let mut queue = HostQueue::new(&HostLimits::new().concurrency(most).rate(rate));
        let mut now = Instant::now();
        let mut closed = now;
        let (mut waiting, mut running, mut begun) = (VecDeque::new(), 0, Vec::new());
        for step in steps {
            match step {
                Step::Enter => waiting.push_back(queue.enter(())),
                Step::GiveUp(at) => if let Some(ticket) = waiting.remove(at) {
                    queue.give_up(ticket);
                },
                Step::Leave => if running > 0 {
                    queue.leave();
                    running -= 1;
                },
                Step::Pass(time) => now += time,
                Step::Close(time) => {
                    queue.close_for(time, now);
                    closed = closed.max(now + time);
                }
            }
            // Asked from behind, so that nobody can begin out of turn unseen.
            for ticket in waiting.iter().skip(1).rev() {
                prop_assert_eq!(queue.turn(*ticket, now), Turn::Later);
            }
            while let Some(first) = waiting.front() {
                match queue.turn(*first, now) {
                    Turn::Go => {
                        running += 1;
                        begun.push(now);
                        waiting.pop_front();
                        prop_assert!(now >= closed);
                    }
                    Turn::At(at) => {
                        prop_assert!(at > now && running < most);
                        prop_assert!(rate.is_some() || at == closed);
                        break;
                    }
                    Turn::Later => {
                        prop_assert_eq!(running, most);
                        break;
                    }
                }
            }
            prop_assert!(running <= most);
        }
        if let Some(rate) = rate {
            for (at, from) in begun.iter().enumerate() {
                for (count, until) in begun[at..].iter().enumerate() {
                    // So many have begun after the first of them, up to here.
                    let ahead = rate.interval() * (count as u32);
                    prop_assert!(*until - *from + rate.tolerance() >= ahead);
                }
            }
        }
    }
}

fn limiter(limits: HostLimits) -> HostLimiter {
    HostLimiter::new(&limits).unwrap()
}

/// An admission that is there at once.
fn at_once(limiter: &HostLimiter, host: &str) -> Option<Admission> {
    limiter.admit(host).now_or_never()
}

/// Case C10: Who waits for a host is admitted in the order of coming, and one that goes away takes no turn.
#[tokio::test(start_paused = true)]
async fn waiters_come_in_order_and_one_that_goes_takes_no_turn() {
    let limiter = limiter(HostLimits::new().concurrency(1));
    let first = at_once(&limiter, HOST).unwrap();
    let mut waits: Vec<_> = (0..5).map(|_| Box::pin(limiter.admit(HOST))).collect();
    for wait in &mut waits {
        assert!(wait.as_mut().now_or_never().is_none());
    }
    assert!(at_once(&limiter, HOST).is_none());
    assert!(
        at_once(&limiter, "http://b.example").is_some(),
        "another host"
    );
    drop(waits.remove(1));
    drop(first);
    // The one whose turn it is may itself go away, woken already.
    drop(waits.remove(0));
    let mut last = waits.split_off(1);
    for wait in &mut last {
        assert!(wait.as_mut().now_or_never().is_none());
    }
    let second = waits.remove(0).await;
    assert!(at_once(&limiter, HOST).is_none());
    drop(second);
    for wait in last {
        drop(wait.await);
    }
    assert!(at_once(&limiter, HOST).is_some());
}

/// Case C11: A rate is kept to the nanosecond over any number of tasks, and one that goes away while it waits for the
/// time costs the others none.
#[tokio::test(start_paused = true)]
async fn a_rate_is_kept() {
    let rate = RateLimit::new(10, 1000 * MS).burst(3);
    let limiter = limiter(HostLimits::new().concurrency(None).rate(rate));
    let began = tokio::time::Instant::now();
    let mut gone = Vec::new();
    let times = (0..23).map(|number| {
        let wait = limiter.admit(HOST);
        async move {
            let _admission = wait.await;
            (number, began.elapsed())
        }
    });
    let all = join_all(times);
    for _ in 0..3 {
        gone.push(tokio::time::timeout(MS, limiter.admit(HOST)));
    }
    let (times, gone) = futures::join!(all, join_all(gone));
    assert!(gone.iter().all(Result::is_err));
    for (number, time) in times {
        assert_eq!(time, 100 * MS * (number as u32).saturating_sub(2));
    }
}

/// Case C12: A host that asks to be left alone is, by all who wait for it.
#[tokio::test(start_paused = true)]
async fn a_host_that_asks_is_left_alone() {
    let limiter = limiter(HostLimits::none());
    let began = tokio::time::Instant::now();
    limiter.hold_back(HOST, 500 * MS);
    let mut wait = Box::pin(limiter.admit(HOST));
    assert!(wait.as_mut().now_or_never().is_none());
    tokio::time::advance(200 * MS).await;
    limiter.hold_back(HOST, 1000 * MS);
    limiter.hold_back(HOST, 10 * MS);
    let _admission = wait.await;
    assert_eq!(began.elapsed(), 1200 * MS);
    assert!(at_once(&limiter, "http://b.example").is_some());
}

/// Case C13: Hosts that no longer matter are forgotten; no more are remembered than there may be, and those that are in
/// use.
#[tokio::test(start_paused = true)]
async fn so_many_hosts_are_remembered() {
    let rate = RateLimit::new(1, 1000 * MS);
    let limiter = limiter(HostLimits::new().rate(rate).remembered_hosts(10));
    let held: Vec<_> =
        join_all((0..5).map(|n| limiter.admit(Box::leak(format!("in use {n}").into())))).await;
    for number in 0..1000 {
        drop(at_once(&limiter, &format!("host {number}")).unwrap());
        assert!(limiter.hosts() <= 10);
    }
    assert!(
        at_once(&limiter, "host 999").is_none(),
        "its rate is remembered"
    );
    drop(held);
    tokio::time::advance(1000 * MS).await;
    drop(at_once(&limiter, "host 999").unwrap());
    drop(at_once(&limiter, "the eleventh").unwrap());
    assert_eq!(limiter.hosts(), 2, "what has recovered is forgotten");
}

/// Case C14: Over several threads, with tasks that are cancelled anywhere, never more are admitted at once than the limit,
/// and all who stay are.
#[test]
fn many_tasks_in_several_threads() {
    let _watchdog = mt_test_kit::watchdog("many_tasks_in_several_threads");
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(4).enable_time().build().unwrap();
    let limiter = limiter(HostLimits::new().concurrency(3));
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    runtime.block_on(async {
        let tasks = (0..2000_u64).map(|number| {
            let (limiter, at_once, most) = (limiter.clone(), at_once.clone(), most.clone());
            tokio::spawn(async move {
                let work = async {
                    let _admission = limiter.admit(HOST).await;
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    at_once.fetch_sub(1, Ordering::SeqCst);
                };
                if number % 3 == 0 {
                    // Goes away before its turn, when it is woken, or never: as it comes.
                    let waiting = async { drop(limiter.admit(HOST).await) };
                    let _ = tokio::time::timeout(Duration::from_micros(number), waiting).await;
                } else {
                    work.await;
                }
            })
        });
        for done in join_all(tasks).await {
            done.unwrap();
        }
    });
    assert!(most.load(Ordering::SeqCst) <= 3);
    assert!(limiter.admit(HOST).now_or_never().is_some());
}

/// Case C15: Limits are those of the process: whoever names the same shares them.
#[test]
fn the_same_limits_are_shared_within_a_process() {
    let limits = HostLimits::new().concurrency(1).remembered_hosts(77);
    let one = HostLimiter::of_process(&limits).unwrap();
    let admission = at_once(&one, HOST);
    let other = HostLimiter::of_process(&limits).unwrap();
    assert!(at_once(&other, HOST).is_none());
    drop(admission);
    assert!(at_once(&other, HOST).is_some());
}

#[test]
fn limits_out_of_their_range_are_refused_by_the_options_name() {
    let (limits, rate) = (HostLimits::new, |requests| RateLimit::new(requests, MS));
    for (limits, option) in [
        (limits().concurrency(0), "limits.concurrency"),
        (limits().remembered_hosts(0), "limits.remembered_hosts"),
        (limits().rate(rate(0)), "limits.rate.requests"),
        (limits().rate(rate(1).burst(0)), "limits.rate.burst"),
        (limits().rate(rate(u32::MAX)), "limits.rate"),
    ] {
        assert_eq!(HostLimiter::new(&limits).unwrap_err().option, option);
        assert!(HostLimiter::of_process(&limits).is_err());
    }
}

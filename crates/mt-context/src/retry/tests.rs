//! Schedules under any policy and any failures, and the loop on a paused clock.

use std::time::{Duration, Instant, SystemTime};

use proptest::{
    collection::vec,
    option,
    prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest},
    sample::select,
    test_runner::Config,
};

use super::{
    FailureClass, GaveUp, GiveUpReason, RetryDecision, RetryError, RetryPolicy, RetrySchedule,
    parse_retry_after, retry,
};

const SECOND: Duration = Duration::from_secs(1);

const CLASSES: [FailureClass; 6] = [
    FailureClass::Connect,
    FailureClass::Timeout,
    FailureClass::Cut,
    FailureClass::Throttled,
    FailureClass::Server,
    FailureClass::Permanent,
];

#[derive(Debug, Clone, Copy, PartialEq)]
struct Failed(FailureClass, Option<Duration>);

impl RetryError for Failed {
    fn class(&self) -> FailureClass {
        self.0
    }

    fn retry_after(&self) -> Option<Duration> {
        self.1
    }
}

const CUT: Failed = Failed(FailureClass::Cut, None);

/// What follows each of these failures, one after the other without any time between them.
fn decisions(policy: &RetryPolicy, failures: &[Failed]) -> Vec<RetryDecision> {
    let now = Instant::now();
    let mut schedule = RetrySchedule::new(policy, now);
    let failures = failures.iter();
    failures
        .map(|Failed(class, asked)| schedule.on_failure(*class, *asked, now, 1.0))
        .collect()
}

fn policies() -> impl Strategy<Value = RetryPolicy> {
    let pauses = (any::<u64>(), any::<u64>());
    let fixed = option::of(vec(any::<u64>(), 0..5));
    let times = (option::of(any::<u64>()), any::<u64>());
    let classes = vec(select(&CLASSES), 0..6);
    (any::<u32>(), pauses, fixed, times, classes).prop_map(
        |(attempts, (first, longest), fixed, (total, asked), classes)| {
            let policy = RetryPolicy::new().attempts(attempts);
            let policy = match fixed {
                Some(fixed) => policy.fixed_pauses(fixed.into_iter().map(Duration::from_nanos)),
                None => policy.pauses_ms(first, longest),
            };
            let policy = policy.total(total.map(Duration::from_millis));
            policy
                .longest_retry_after(Duration::from_millis(asked))
                .only(classes)
        },
    )
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    /// Case C1: No policy, not even one out of its range, waits beyond its total time, makes more attempts than it has,
    /// or tries again what it does not try again.
    #[test]
    fn no_schedule_goes_beyond_its_policy(
        policy in policies(),
        failures in vec((select(&CLASSES), option::of(any::<u64>()), any::<u64>(), any::<f64>()), 1..40),
    ) {
        let began = Instant::now();
        let mut now = began;
        let mut schedule = RetrySchedule::new(&policy, now);
        let mut attempts = 1_u32;
        for (class, asked, took, chance) in failures {
            now = now.checked_add(Duration::from_micros(took >> 32)).unwrap_or(now);
            let asked = asked.map(Duration::from_millis);
            match schedule.on_failure(class, asked, now, chance) {
                RetryDecision::Wait(pause) => {
                    prop_assert!(policy.tries_again(class));
                    prop_assert!(class != FailureClass::Permanent);
                    now = now.checked_add(pause).unwrap_or(now);
                    prop_assert!(schedule.deadline().is_none_or(|deadline| now < deadline));
                    attempts += 1;
                    prop_assert!(attempts <= policy.most_attempts());
                    prop_assert_eq!(schedule.attempt(), attempts);
                }
                RetryDecision::GiveUp(GiveUpReason::NotWorthIt) => {
                    prop_assert!(!policy.tries_again(class));
                }
                RetryDecision::GiveUp(GiveUpReason::Attempts) => {
                    prop_assert!(attempts >= policy.most_attempts());
                }
                RetryDecision::GiveUp(_) => {}
            }
            attempts = schedule.attempt();
        }
    }

    #[test]
    fn a_policy_crosses_as_it_is(policy in policies()) {
        let bytes = postcard::to_allocvec(&policy).unwrap();
        prop_assert_eq!(postcard::from_bytes::<RetryPolicy>(&bytes).unwrap(), policy);
    }

    #[test]
    fn any_text_is_a_time_or_none(text in any::<String>(), seconds in any::<u64>()) {
        let now = SystemTime::now();
        let _ = parse_retry_after(&text, now);
        let wait = parse_retry_after(&seconds.to_string(), now);
        prop_assert_eq!(wait, Some(Duration::from_secs(seconds)));
    }
}

/// Case C2: The most that is waited doubles from pause to pause up to the longest, and all of it is at random.
#[test]
fn pauses_double_up_to_the_longest_and_are_all_chance() {
    let policy = RetryPolicy::new().pauses_ms(100, 500).attempts(1000);
    let pauses = [100, 200, 400, 500, 500].map(|ms| RetryDecision::Wait(Duration::from_millis(ms)));
    assert_eq!(decisions(&policy, &[CUT; 5]), pauses);
    for attempts in [1, 2, 3, 100, u32::MAX] {
        assert_eq!(policy.pause(attempts, 0.0), Duration::ZERO);
        assert_eq!(policy.pause(attempts, 0.5) * 2, policy.pause(attempts, 1.0));
    }
}

/// Case C3: The seed's rule for downloads: connection errors and timeouts are tried again after 1 s, then after 10 s,
/// and no status is.
#[test]
fn the_seeds_rule_for_downloads() {
    let policy = RetryPolicy::seed_download();
    for class in [
        FailureClass::Connect,
        FailureClass::Timeout,
        FailureClass::Cut,
    ] {
        let wanted = [
            RetryDecision::Wait(SECOND),
            RetryDecision::Wait(10 * SECOND),
            RetryDecision::GiveUp(GiveUpReason::Attempts),
        ];
        assert_eq!(decisions(&policy, &[Failed(class, None); 3]), wanted);
    }
    for status in [400, 403, 404, 429, 500, 503] {
        let failed = Failed(FailureClass::of_status(status), Some(SECOND));
        let wanted = [RetryDecision::GiveUp(GiveUpReason::NotWorthIt)];
        assert_eq!(decisions(&policy, &[failed]), wanted);
    }
}

/// Case C4: What a server asks for in `Retry-After` is waited, with the pause beside it; more than the policy grants is
/// the end, as is what lasts beyond its time.
#[test]
fn a_server_is_left_alone_for_as_long_as_it_asks() {
    let policy = RetryPolicy::new()
        .pauses_ms(100, 100)
        .longest_retry_after(60 * SECOND);
    let after = |asked| decisions(&policy, &[Failed(FailureClass::Throttled, Some(asked))])[0];
    let tenth = Duration::from_millis(100);
    assert_eq!(after(60 * SECOND), RetryDecision::Wait(60 * SECOND + tenth));
    assert_eq!(
        after(61 * SECOND),
        RetryDecision::GiveUp(GiveUpReason::RetryAfter)
    );
    let short = policy.clone().total(30 * SECOND);
    let failed = Failed(FailureClass::Throttled, Some(30 * SECOND));
    let wanted = [RetryDecision::GiveUp(GiveUpReason::Total)];
    assert_eq!(decisions(&short, &[failed]), wanted);
    let deaf = policy.longest_retry_after(Duration::ZERO);
    let failed = Failed(FailureClass::Throttled, Some(Duration::MAX));
    assert_eq!(decisions(&deaf, &[failed]), [RetryDecision::Wait(tenth)]);
}

/// Case C5: `Retry-After` is read as seconds, and as an HTTP date in each of its three forms; a date that is past asks for
/// nothing, and what is neither is no wish.
#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let after = |text: &str| parse_retry_after(text, now).map(|wait| wait.as_secs());
    assert_eq!(after("120"), Some(120));
    assert_eq!(after(" 0\t"), Some(0));
    assert_eq!(after("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
    assert_eq!(after("Sunday, 06-Nov-94 08:49:47 GMT"), Some(10));
    assert_eq!(after("Sun Nov  6 08:49:47 1994"), Some(10));
    assert_eq!(after("Sun, 06 Nov 1994 08:49:27 GMT"), Some(0));
    assert_eq!(after("99999999999999999999999"), Some(u64::MAX));
    for none in [
        "",
        " ",
        "-1",
        "1.5",
        "+3",
        "soon",
        "Sun, 99 Nov 1994 08:49:47 GMT",
    ] {
        assert_eq!(after(none), None, "{none:?}");
    }
}

/// Case C6: A request that must not happen twice is sent again only when the server has not acted on it.
#[test]
fn what_must_not_happen_twice_is_sent_again_only_when_it_did_not_happen() {
    let policy = RetryPolicy::new().only_unambiguous();
    let again: Vec<_> = CLASSES
        .into_iter()
        .filter(|class| policy.tries_again(*class))
        .collect();
    assert_eq!(again, [FailureClass::Connect, FailureClass::Throttled]);
}

/// Case C7: Attempts and time count from the last progress.
#[test]
fn progress_begins_anew() {
    let policy = RetryPolicy::new().attempts(2).pauses_ms(0, 0).total(SECOND);
    let mut now = Instant::now();
    let mut schedule = RetrySchedule::new(&policy, now);
    for attempt in 1..100 {
        assert_eq!(schedule.attempt(), attempt);
        let next = schedule.on_failure(FailureClass::Cut, None, now, 1.0);
        assert_eq!(next, RetryDecision::Wait(Duration::ZERO));
        now += SECOND;
        schedule.on_progress(now);
    }
    schedule.on_failure(FailureClass::Cut, None, now, 1.0);
    let next = schedule.on_failure(FailureClass::Cut, None, now, 1.0);
    assert_eq!(next, RetryDecision::GiveUp(GiveUpReason::Attempts));
}

#[test]
fn a_policy_out_of_its_range_is_refused_by_the_options_name() {
    let policy = RetryPolicy::new;
    for (policy, option) in [
        (policy().attempts(0), "retry.attempts"),
        (policy().attempts(1001), "retry.attempts"),
        (policy().pauses_ms(2, 1), "retry.pauses"),
        (policy().total(Duration::ZERO), "retry.total"),
    ] {
        assert_eq!(policy.check().unwrap_err().option, option);
    }
    for policy in [policy(), RetryPolicy::seed_download(), RetryPolicy::never()] {
        policy.check().unwrap();
    }
}

/// Case C8: The total time ends an attempt that runs, and the error tells the last failure before it.
#[tokio::test(start_paused = true)]
async fn the_total_time_ends_the_attempt_that_runs() {
    let policy = RetryPolicy::new().pauses_ms(0, 0).total(10 * SECOND);
    let began = tokio::time::Instant::now();
    let hangs_then = |attempt| async move {
        match attempt {
            1 => Err::<(), _>(CUT),
            _ => std::future::pending().await,
        }
    };
    let gave_up = retry(&policy, hangs_then).await.unwrap_err();
    assert_eq!(began.elapsed(), 10 * SECOND);
    let last = Some(CUT);
    assert_eq!(
        gave_up,
        GaveUp {
            reason: GiveUpReason::Total,
            attempts: 2,
            last
        }
    );
    let gave_up = retry(&policy, |_| std::future::pending::<Result<(), Failed>>()).await;
    let GaveUp { attempts, last, .. } = gave_up.unwrap_err();
    assert_eq!((attempts, last), (1, None));
}

#[tokio::test(start_paused = true)]
async fn the_loop_waits_as_the_schedule_says() {
    let began = tokio::time::Instant::now();
    let policy = RetryPolicy::seed_download();
    let gave_up = retry(&policy, |_| async { Err::<(), _>(CUT) })
        .await
        .unwrap_err();
    assert_eq!(
        (gave_up.attempts, gave_up.reason),
        (3, GiveUpReason::Attempts)
    );
    assert_eq!(began.elapsed(), 11 * SECOND);
}

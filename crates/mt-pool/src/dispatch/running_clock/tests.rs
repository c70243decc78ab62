//! Looks and what they tell, in small tables.

use super::*;

const LIMIT: Duration = Duration::from_millis(100);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn look(started: u64, turn: Option<(u64, u64)>) -> Look {
    Look {
        started,
        finished: 0,
        turn: turn.map(|(place, number)| Turn { place, number }),
        in_order: false,
    }
}

fn late(before: u64, holder: Option<u64>) -> Option<Late> {
    Some(Late {
        from: 0,
        before,
        holder,
    })
}

fn all(_: u64) -> bool {
    true
}

#[test]
fn what_runs_since_a_look_is_late_when_the_limit_has_passed_since_that_look() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    starts.look(t, look(3, None), 0, all);
    starts.look(t + ms(10), look(5, None), 0, all);
    assert_eq!(starts.due(LIMIT), Some(t + ms(100)));
    assert_eq!(starts.late(t + ms(99), LIMIT, 0, all), None);
    assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(3, None));
    assert_eq!(starts.late(t + ms(110), LIMIT, 0, all), late(5, None));
}

#[test]
fn what_is_done_in_time_is_not_late_and_leaves_nothing() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    for n in 0..1000 {
        starts.look(t + ms(n), look(n + 1, None), n, all);
    }
    assert_eq!(starts.looks.len(), 1, "as many as are running");
    assert_eq!(starts.late(t + ms(5000), LIMIT, 1000, all), None);
    assert_eq!(starts.due(LIMIT), None);
}

#[test]
fn what_is_finished_and_on_its_way_is_not_late() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    starts.look(t, look(2, None), 0, all);
    let finished = Look {
        finished: 2,
        ..look(2, None)
    };
    starts.look(t + ms(99), finished, 0, all);
    assert_eq!(starts.late(t + ms(500), LIMIT, 0, all), None);
    starts.look(
        t + ms(500),
        Look {
            started: 3,
            ..finished
        },
        0,
        all,
    );
    assert_eq!(starts.late(t + ms(600), LIMIT, 0, all), late(3, None));
}

/// What quick calls before it have returned may wait with a call that never returns.
#[test]
fn who_runs_alone_is_alone_late() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    let alone = |started| Look {
        finished: started - 1,
        in_order: true,
        ..look(started, None)
    };
    starts.look(t, alone(1000), 0, all);
    starts.look(t + ms(10), alone(2000), 0, all);
    assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), None);
    let late = starts.late(t + ms(110), LIMIT, 0, all).expect("it is");
    assert_eq!(
        [1998, 1999, 2000].map(|p| late.contains(p)),
        [false, true, false]
    );
}

#[test]
fn a_look_that_sees_nothing_new_does_not_start_the_clock_again() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    for n in 0..100 {
        starts.look(t + ms(n), look(1, None), 0, all);
    }
    assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(1, None));
    starts.forgive(LIMIT);
    assert_eq!(starts.late(t + ms(199), LIMIT, 0, all), None);
}

#[test]
fn who_keeps_the_thread_is_late_and_who_is_held_up_is_not() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    for n in 0..10 {
        starts.look(t + ms(10 * n), look(8, Some((5, 1))), 0, all);
    }
    assert_eq!(starts.due(LIMIT), Some(t + ms(100)));
    assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(0, Some(5)));
}

#[test]
fn many_short_turns_hold_nobody_up() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    for n in 0..=10 {
        starts.look(t + ms(10 * n), look(8, Some((n % 8, n))), 0, all);
    }
    assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(8, Some(2)));
}

/// Two calls; the second keeps the thread for 80 ms and lets go.
#[test]
fn time_that_was_held_up_is_given_back_but_not_to_who_held_it() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    starts.look(t, look(2, None), 0, all);
    for n in 1..=9 {
        starts.look(t + ms(10 * n), look(2, Some((1, 7))), 0, all);
    }
    starts.look(t + ms(95), look(2, None), 0, all);
    assert_eq!(starts.due(LIMIT), Some(t + ms(100)));
    assert_eq!(starts.late(t + ms(100), LIMIT, 0, all), late(0, Some(1)));
    let open = |place| place != 1;
    assert_eq!(starts.late(t + ms(179), LIMIT, 0, open), None);
    assert_eq!(starts.late(t + ms(180), LIMIT, 0, open), late(2, None));
}

#[test]
fn a_turn_of_nobody_is_none() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    for n in 0..10 {
        let mad = [(u64::MAX, 1), (0, 1)][usize::from(n % 2 == 0)];
        starts.look(t + ms(10 * n), look(2, Some(mad)), 0, |place| place == 1);
    }
    assert_eq!(
        starts.late(t + ms(100), LIMIT, 0, |place| place == 1),
        late(2, None)
    );
}

#[test]
fn a_turn_ends_with_its_item() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    for n in 0..=9 {
        starts.look(t + ms(10 * n), look(2, Some((1, 1))), 0, all);
    }
    let open = |place| place == 0;
    assert_eq!(starts.late(t + ms(100), LIMIT, 0, open), None);
    assert_eq!(starts.due(LIMIT), Some(t + ms(190)));
}

/// Case 10, G9: What the worker does on its own account, between calls, is charged to no item.
#[test]
fn time_that_is_nobodys_is_charged_to_nobody() {
    let t = Instant::now();
    let mut starts = RunningClock::default();
    let nobody = |number| look(3, Some((Turn::NOBODYS, number)));
    starts.look(t, look(3, Some((1, 7))), 0, all);
    starts.look(t + ms(50), nobody(8), 0, all);
    starts.look(t + ms(500), nobody(8), 0, all);
    assert_eq!(starts.due(LIMIT), Some(t + LIMIT + MOST_ASIDE));
    assert_eq!(starts.late(t + ms(500), LIMIT, 0, all), None);
    let mut mad = RunningClock::default();
    mad.look(t, nobody(8), 0, all);
    let end = t + LIMIT + MOST_ASIDE;
    assert_eq!(mad.late(end - ms(1), LIMIT, 0, all), None);
    assert_eq!(mad.late(end, LIMIT, 0, all), late(3, None), "not for ever");
    starts.look(t + ms(510), look(3, None), 0, all);
    let due = starts.due(LIMIT);
    assert_eq!(due, Some(t + ms(550)), "450 ms are given back to all");
    assert_eq!(starts.late(t + ms(549), LIMIT, 0, all), None);
    assert_eq!(starts.late(t + ms(550), LIMIT, 0, all), late(3, None));
}

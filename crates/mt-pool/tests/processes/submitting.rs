//! Items and results that can't cross cost themselves and nothing else.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::prelude::*;

/// A value whose crossing goes wrong on the way there, or on the way in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Awkward {
    Fine,
    NotSent,
    PanicsSent,
    NotRead,
    PanicsRead,
    PanicsDropped,
}

use Awkward::{Fine, NotRead, NotSent, PanicsDropped, PanicsRead, PanicsSent};

impl Serialize for Awkward {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            NotSent => Err(ser::Error::custom("it will not go")),
            PanicsSent => panic!("it goes to pieces"),
            Fine => serializer.serialize_u8(0),
            NotRead => serializer.serialize_u8(1),
            PanicsRead => serializer.serialize_u8(2),
            PanicsDropped => serializer.serialize_u8(3),
        }
    }
}

impl<'de> Deserialize<'de> for Awkward {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => Ok(Fine),
            1 => Err(de::Error::custom("it is not right")),
            2 => panic!("it comes to pieces"),
            _ => Ok(PanicsDropped),
        }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert_ne!(self.0, PanicsDropped, "it ends in pieces");
    }
}

/// An [`Awkward`] that may also panic when it is dropped.
#[derive(Debug, Serialize, Deserialize)]
struct Bomb(Awkward);

#[task]
fn take(value: Awkward) -> u32 {
    std::hint::black_box(value);
    std::process::id()
}

#[task]
fn take_bomb(value: Bomb) -> u32 {
    std::mem::forget(value);
    std::process::id()
}

const ALL: [Awkward; 6] = [
    Fine,
    NotSent,
    PanicsSent,
    PanicsDropped,
    NotRead,
    PanicsRead,
];

#[task]
fn give(code: usize) -> Bomb {
    Bomb(ALL[code])
}

#[task]
async fn give_async(code: usize) -> Bomb {
    tokio::task::yield_now().await;
    Bomb(ALL[code])
}

/// Case M144: An item that does not serialise fails, and no other does.
#[test_with(alone)]
fn what_does_not_serialise_fails_alone() {
    let items = vec![Fine, NotSent, Fine, PanicsSent, Fine];
    let report = complete(asyn_pmap::<take>(items).processes(1), 5);
    assert_eq!(report.failed(), [1, 3]);
    let text = [report.error(1).to_string(), report.error(3).to_string()];
    assert!(text[0].contains("it will not go") || text[0].contains("can't be sent"));
    assert!(text[1].contains("it goes to pieces"), "{text:?}");
    assert_eq!(report.stats.workers_started, 1);
}

#[test_with(alone)]
fn a_hundred_bad_then_a_hundred_good() {
    for bad in [NotSent, PanicsSent, NotRead, PanicsRead] {
        let items = [vec![bad; 100], vec![Fine; 100]].concat();
        let run = asyn_pmap::<take>(items).processes(1).capacity(7);
        let report = complete(run, 200);
        assert_eq!(report.failed(), (0..100).collect::<Vec<_>>());
        assert_eq!(report.stats.workers_started, 1, "the worker lives");
    }
}

#[test_with(alone)]
fn what_does_not_decode_in_the_worker_fails_alone() {
    let report = complete(asyn_pmap::<take>([Fine, NotRead, PanicsRead, Fine]), 4);
    assert!(matches!(report.kind(1), TaskErrorKind::Undecodable(_)));
    assert!(matches!(report.kind(2), TaskErrorKind::Panicked { .. }));
    assert_eq!(report.failed(), [1, 2]);
    assert!(report.deaths().is_empty());
}

#[test_with(alone)]
fn an_item_that_panics_when_it_is_dropped() {
    let items = [Bomb(Fine), Bomb(PanicsDropped), Bomb(Fine)];
    let report = complete(asyn_pmap::<take_bomb>(items), 3);
    assert!(report.outcomes[0].is_ok() && report.outcomes[2].is_ok());
}

/// Case M145: A result that does not serialise, or that can't be read, is the outcome of its item, and the worker goes on.
#[test_with(alone)]
fn results_that_do_not_cross_fail_alone_and_their_worker_lives() {
    fn fail_alone<T: Task<Input = usize, Output = Bomb, Error: Debug>>() {
        let run = asyn_pmap::<T>((0..120).map(|n| n % 6)).processes(1);
        let report = complete(run, 120);
        assert_eq!(report.stats.workers_started, 1);
        for (index, outcome) in report.outcomes.iter().enumerate() {
            let kind = outcome.as_ref().map_err(|error| error.kind());
            let expected = match ALL[index % 6] {
                Fine => kind.is_ok(),
                NotSent => matches!(kind, Err(TaskErrorKind::Unserialisable(_))),
                PanicsSent | PanicsDropped => matches!(kind, Err(TaskErrorKind::Panicked { .. })),
                NotRead | PanicsRead => matches!(kind, Err(TaskErrorKind::Undecodable(_))),
            };
            assert!(expected, "{:?}: {kind:?}", ALL[index % 6]);
        }
    }
    fail_alone::<give>();
    fail_alone::<give_async>();
}

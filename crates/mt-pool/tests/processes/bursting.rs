//! What a run is given panics in the parent, with a payload whose own drop panics once more: items, their input, what
//! they share, what they return. Every item has its outcome, and everything of ours goes on.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{Stream, stream};
use mt_pool::{StartError, from_stream, input::IntoInput};

use crate::{
    prelude::*,
    touchy::{
        At, Both, Dropped, Never, Read, Returned, Sent, Touchy, burst, returned, touchy, unshown,
    },
};

#[task]
fn take(value: Touchy) -> bool {
    value.crossed
}

#[task]
fn give(at: At) -> Returned {
    returned(at)
}

#[task]
pub(crate) fn raise(at: At) -> Result<u64, Returned> {
    match at {
        Never => Ok(7),
        at => Err(returned(at)),
    }
}

#[task]
fn shares(#[shared] shared: &Touchy, n: u64) -> u64 {
    n + u64::from(shared.crossed)
}

#[task]
fn hook(value: Touchy) -> Returned {
    returned(value.at)
}

#[task]
fn set_up(value: Touchy) {
    assert!(value.crossed);
}

const ITEMS: [At; 7] = [Never, Sent, Dropped, Both, Dropped, Both, Never];

/// The items that can't be sent are told so, all others have their value.
fn items_alone(run: AsynPmap<take>) {
    let report = complete(run.processes(1), ITEMS.len() as u64);
    for (index, at) in ITEMS.iter().enumerate() {
        match at {
            Sent | Both => assert_is!(report.kind(index), TaskErrorKind::Unserialisable(_)),
            _ => assert!(
                report.outcomes[index]
                    .as_ref()
                    .is_ok_and(|crossed| *crossed)
            ),
        }
    }
}

/// Case 2: An item whose `Serialize` or `Drop` panics, however its payload behaves, costs at most itself.
#[test_with(unshown)]
fn items() {
    let all = || ITEMS.map(touchy);
    for capacity in [1, 2, 100] {
        items_alone(asyn_pmap(Vec::from(all())).capacity(capacity));
        items_alone(asyn_pmap(all()).capacity(capacity).ordered(false));
        items_alone(asyn_pmap(from_stream(stream::iter(all()))).capacity(capacity));
    }
}

/// An input that bursts when its next is asked for, or when it is dropped, or both.
struct Input(At, u64);

impl Iterator for Input {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.1 += 1;
        match self.1 {
            4 if [Sent, Both].contains(&self.0) => burst(),
            4 => None,
            n => Some(n),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self.0 {
            Read => burst(),
            _ => (0, None),
        }
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if [Dropped, Both].contains(&self.0) {
            burst();
        }
    }
}

/// The same as a stream.
struct InputStream(Input);

impl Stream for InputStream {
    type Item = u64;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u64>> {
        Poll::Ready(self.0.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// Case 2, 38: An input whose `next`, `size_hint`, `poll_next` or `Drop` panics ends where it panics, with that told.
#[test_with(unshown)]
fn inputs() {
    fn ends(at: At, input: impl IntoInput<u64>) {
        let panics = [Sent, Both].contains(&at);
        let report = complete(asyn_pmap::<double>(input), 3 + u64::from(panics));
        assert!(report.outcomes[..3].iter().all(Result::is_ok));
        if panics {
            assert_is!(report.kind(3), TaskErrorKind::InputPanicked(_));
        }
    }
    for at in [Never, Sent, Dropped, Both, Read] {
        ends(at, Input(at, 0));
        ends(at, from_stream(InputStream(Input(at, 0))));
        block_on(async { ends(at, from_stream(InputStream(Input(at, 0)))) });
    }
}

/// Case 2: Items that are left when a run is dropped may all panic as they are dropped.
#[test_with(unshown)]
fn what_is_left_of_an_input() {
    let many = vec![touchy(Dropped); 1000];
    let run = asyn_pmap::<take>(many).capacity(3).start().unwrap();
    assert!(run.into_iter().next().unwrap().unwrap());
    wait_until(|| threads_named("mt-feeder") == 0);
}

/// Case 2, 38: A result or an error whose `Deserialize` panics is `Undecodable`, and no other item is.
#[test_with(unshown)]
fn results_and_errors() {
    let all = [Never, Read, Never, Read];
    let report = complete(asyn_pmap::<give>(all), 4);
    assert_eq!(report.failed(), [1, 3]);
    assert_is!(report.kind(1), TaskErrorKind::Undecodable(why) if why.contains("panicked"));
    let report = complete(asyn_pmap::<raise>(all), 4);
    assert_is!(report.kind(3), TaskErrorKind::Undecodable(why) if why.contains("panicked"));
    assert_eq!(report.failed(), [1, 3]);
    let taken = complete(asyn_pmap::<act>([Deed::Return(1), Deed::Abort]), 2);
    let item = taken.error(1).item::<Returned>().unwrap();
    assert!(item.is_err(), "another type's bytes, or a panic");
}

/// Case 2, 38: A shared value, a config or a hook's input whose `Serialize` panics is a typed error of the start, and
/// one whose `Drop` panics is none.
#[test_with(unshown)]
fn what_all_items_share() {
    type Change<T> = fn(AsynPmap<T>, Touchy) -> AsynPmap<T>;
    let ways: [(&str, Change<shares>); 3] = [
        ("shared", |run, value| run.shared(value)),
        ("init", |run, value| {
            run.shared(touchy(Never)).init::<set_up>(value)
        }),
        ("exit", |run, value| {
            run.shared(touchy(Never)).exit::<hook>(value)
        }),
    ];
    for (name, give) in ways {
        for at in [Sent, Both] {
            let refused = give(asyn_pmap::<shares>(0..3), touchy(at)).start();
            let Err(StartError::Value { option, message }) = refused else {
                panic!("{name} is refused");
            };
            assert_eq!(option, name);
            assert!(message.contains("`Serialize` panicked"), "{message}");
        }
        let report = complete(give(asyn_pmap::<shares>(0..3), touchy(Dropped)), 3);
        assert_eq!(report.failed(), [0; 0], "{name}");
    }
    drop(asyn_pmap::<shares>(0..3).shared(touchy(Dropped)));
}

/// Case 2, 38: The value of an exit hook whose `Deserialize` panics is an error, not a panic.
#[test_with(unshown)]
fn exit_values() {
    let run = asyn_pmap::<double>(0..3).processes(1);
    let mut run = run.exit::<hook>(touchy(Read)).start().unwrap().into_iter();
    assert_eq!(run.by_ref().filter(Result::is_ok).count(), 3);
    let values = run.exit_values::<hook>();
    assert!(values.iter().all(Result::is_err) && values.len() == 1);
}

//! Works one after the other, on the calling thread.

use std::{iter::Map, ops::Range};

/// The results of works done one after the other. Made by [`serial_work_generator`].
pub type SerialWorkGenerator<F> = Map<Range<u64>, F>;

/// Does the works 0, 1, 2 … `num_work_ids - 1` one after the other and yields what `func` returns,
/// [`None`] included.
///
/// Nothing is done ahead: a work runs inside the call of `next` that yields it. For when works are so
/// few or so quick that processes and tasks cost more than they give.
///
/// ```
/// let squares: Vec<u64> = mt_pool::works::serial_work_generator(|id| id * id, 4).collect();
/// assert_eq!(squares, [0, 1, 4, 9]);
/// ```
pub fn serial_work_generator<F, R>(func: F, num_work_ids: u64) -> SerialWorkGenerator<F>
where
    F: FnMut(u64) -> R,
{
    (0..num_work_ids).map(func)
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        panic::{AssertUnwindSafe, catch_unwind},
    };

    use super::*;

    /// Case M125: `serial_work_generator` does a work when it is asked for, and none ahead.
    #[test]
    fn a_work_runs_when_it_is_asked_for() {
        let done = Cell::new(0);
        let mut works = serial_work_generator(|id| done.replace(id + 1), 3);
        assert_eq!(done.get(), 0);
        assert_eq!(works.next(), Some(0));
        assert_eq!((done.get(), works.size_hint()), (1, (2, Some(2))));
        assert_eq!(works.next(), Some(1));
        assert_eq!(works.next(), Some(2));
        assert_eq!((works.next(), works.next()), (None, None));
    }

    #[test]
    fn nulls_are_yielded_too_and_no_works_are_none() {
        let odd = |works| serial_work_generator(|id| (id % 2 == 1).then_some(id), works);
        assert_eq!(odd(3).collect::<Vec<_>>(), [None, Some(1), None]);
        assert_eq!((odd(0).next(), odd(u64::MAX).nth(2)), (None, Some(None)));
    }

    #[test]
    fn a_panic_costs_the_work_that_panics() {
        let mut works = serial_work_generator(|id| assert_ne!(id, 0), 2);
        let mut next = || catch_unwind(AssertUnwindSafe(|| works.next()));
        assert!(next().is_err());
        assert_eq!(next().expect("no panic"), Some(()));
        assert_eq!(next().expect("no panic"), None);
    }
}

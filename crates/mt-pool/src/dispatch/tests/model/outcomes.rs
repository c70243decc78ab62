//! What comes out: each item once, with an end that what it has been through explains.

use mt_proto::Deadline;

use super::{
    super::super::{Apart, Delivery, End, Lost},
    Model,
};
use crate::supervision::DeathCause;

impl Model {
    pub(super) fn on_deliver(&mut self, delivery: &Delivery) {
        assert!(!self.stopped, "nobody is interested");
        let end = match delivery {
            Delivery::Results(_) => "done",
            Delivery::Apart(apart) => self.on_apart(apart),
        };
        let first = delivery.first().0;
        for item in first..first + u64::from(delivery.count()) {
            assert!(item < self.taken_in);
            assert!(self.is_out.insert(item), "{item} came twice");
            assert!(!self.config.ordered || item == self.out.len() as u64);
            self.out.push((item, end));
        }
    }

    fn on_apart(&self, apart: &Apart) -> &'static str {
        let (item, attempts) = (apart.index.0, apart.attempts);
        let past = self.past.get(&item).copied().unwrap_or_default();
        let lost = match &apart.end {
            End::Told(_) => {
                assert_eq!(
                    attempts,
                    past.deaths + past.breaches + past.errors,
                    "{item}"
                );
                assert!(self.config.keep_items || attempts > 1, "{item}");
                self.check_payload(apart);
                return "done";
            }
            End::Lost(Lost::TooLarge { .. }) => {
                assert_eq!((attempts, &apart.payload), (0, &None));
                return "refused";
            }
            End::Lost(lost) => lost,
        };
        self.check_payload(apart);
        self.on_lost(item, attempts, lost)
    }

    fn on_lost(&self, item: u64, attempts: u32, lost: &Lost) -> &'static str {
        let past = self.past.get(&item).copied().unwrap_or_default();
        match lost {
            Lost::Crashed { death, attempts } => {
                // Nobody may be at it any more when it is tried again.
                let at_once = death.cause == DeathCause::OutOfReach;
                assert!(at_once || *attempts == self.config.crash_limit);
                assert_eq!(*attempts, past.deaths, "{item} {lost:?}");
                "crashed"
            }
            Lost::OutcomeLost { .. } => {
                assert!(self.outcome_lost.contains(&item) && attempts > 0);
                "outcome lost"
            }
            Lost::Cancelled => {
                let given_up = self.withdrawn.contains(&item);
                assert!(self.drained || self.cancelled || given_up);
                let errors = past.deaths + past.breaches + past.errors;
                assert!(attempts == errors || attempts == errors + 1, "{item}");
                "cancelled"
            }
            Lost::TimedOut {
                deadline: Deadline::Hard,
                ..
            } => {
                assert!(self.timed_out.contains(&item) && attempts > 0);
                "timed out"
            }
            Lost::TimedOut { .. } => {
                assert_eq!(attempts, 0);
                "waited"
            }
            Lost::MemoryExceeded { attempts, .. } => {
                let no_second_start = self.config.crash_limit == 1;
                let retries = self.config.memory.oom_retries;
                assert_eq!(*attempts, if no_second_start { 1 } else { retries + 1 });
                assert_eq!(*attempts, past.breaches);
                "memory"
            }
            Lost::Pool(_) => "pool",
            other => panic!("{other:?}"),
        }
    }

    fn check_payload(&self, apart: &Apart) {
        let payload = apart.payload.as_ref().expect("the item is known");
        assert_eq!(payload.bytes[..], apart.index.0.to_le_bytes());
    }
}

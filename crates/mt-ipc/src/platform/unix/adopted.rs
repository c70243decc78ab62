//! Which children of a worker process it has adopted, so that nobody but its guard will reap them.
//!
//! A child is on the list of the thread that has started it. What the process adopts comes to the list of its first
//! thread, on which no user code runs; but so do the children of a thread that ends, and for those somebody may wait
//! still. Who comes to that list while no thread ends that can have started a process was adopted for sure.

#![expect(unsafe_code, reason = "asking for this process's switches")]

use std::{collections::HashSet, fs, mem::MaybeUninit};

use rustix::process::{Pid, WaitId, WaitIdOptions, getpid, waitid};

use super::reap::{has_children, look};

/// How often a look is tried that is disturbed by threads at work.
const TRIES: usize = 4;

/// The children on the first thread's list, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Adopted {
    /// See [`Look::switches_of_ended`].
    switches_of_ended: u64,
    /// Children that somebody may wait for.
    unknown: HashSet<Pid>,
    /// Children that nobody can wait for.
    adopted: HashSet<Pid>,
}

/// What was seen at one moment.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    /// The children on the first thread's list.
    children: Vec<Pid>,
    /// How often the threads that have ended had left a processor. A thread that starts a process leaves it at least
    /// once, to wait until that is the other program.
    switches_of_ended: u64,
}

impl Adopted {
    /// To be called before user code runs on any thread but the first. What that has started may be somebody's.
    pub(super) fn new() -> Self {
        if !has_children() {
            return Self::default();
        }
        Self {
            unknown: on_first_thread().into_iter().collect(),
            ..Self::default()
        }
    }

    /// Reaps those that are dead by now.
    pub(super) fn reap_dead(&mut self) {
        if let Some(look) = (0..TRIES).find_map(|_| Look::now()) {
            self.sort(look, descends_from_another);
        }
        let dead = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        self.adopted
            .retain(|&child| !matches!(waitid(WaitId::Pid(child), dead), Ok(Some(_))));
    }

    fn sort(&mut self, look: Look, is_below_another: impl Fn(Pid) -> bool) {
        let here: HashSet<Pid> = look.children.into_iter().collect();
        self.unknown.retain(|child| here.contains(child));
        self.adopted.retain(|child| here.contains(child));
        let none_has_ended = self.switches_of_ended == look.switches_of_ended;
        self.switches_of_ended = look.switches_of_ended;
        for child in here {
            if self.unknown.contains(&child) || self.adopted.contains(&child) {
                continue;
            }
            if none_has_ended || is_below_another(child) {
                self.adopted.insert(child);
            } else {
                self.unknown.insert(child);
            }
        }
    }
}

impl Look {
    /// `None` where it can't be said of one moment what was seen, because threads left their processors meanwhile, or
    /// one was about to end.
    fn now() -> Option<Self> {
        let before = switches_of_all()?;
        let children = on_first_thread();
        let running = switches_of_running()?;
        let at_once = children == on_first_thread() && switches_of_all() == Some(before);
        at_once.then(|| Self {
            children,
            switches_of_ended: before.saturating_sub(running),
        })
    }
}

/// Whether the parent that has started a child of this process was another process: that is so if it is in a session
/// which neither this process nor itself has begun.
fn descends_from_another(child: Pid) -> bool {
    let session = |pid| look(pid).map(|(_, kin)| kin.session);
    session(child)
        .is_some_and(|of| session(getpid()) != Some(of) && of != child.as_raw_nonzero().get())
}

/// The children on the first thread's list; none where the system has no such lists.
fn on_first_thread() -> Vec<Pid> {
    let first = getpid().as_raw_nonzero();
    let list = fs::read_to_string(format!("/proc/self/task/{first}/children"));
    let list = list.unwrap_or_default();
    let pids = list.split_ascii_whitespace();
    pids.filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        .collect()
}

/// How often the threads of this process have left a processor, those that have ended too.
fn switches_of_all() -> Option<u64> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: it is written into memory that is ours.
    let told = unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    // SAFETY: all zeros is a valid `rusage`, and so is what the system has written.
    let usage = (told == 0).then(|| unsafe { usage.assume_init() })?;
    u64::try_from(usage.ru_nvcsw + usage.ru_nivcsw).ok()
}

/// The same of the threads that have not ended. `None` when one is about to, or they can't be seen.
fn switches_of_running() -> Option<u64> {
    let mut sum = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let status = fs::read_to_string(thread.ok()?.path().join("status")).ok()?;
        for line in status.lines() {
            match line.split_once(':')? {
                ("State", state) if state.trim_start().starts_with(['Z', 'X']) => return None,
                ("voluntary_ctxt_switches" | "nonvoluntary_ctxt_switches", count) => {
                    sum += count.trim().parse::<u64>().ok()?;
                }
                _ => {}
            }
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ANOTHER: i32 = 9;

    fn after(looks: &[(u64, &[i32])]) -> (Vec<i32>, Vec<i32>) {
        let mut adopted = Adopted {
            unknown: [1].into_iter().filter_map(Pid::from_raw).collect(),
            ..Adopted::default()
        };
        for &(switches_of_ended, children) in looks {
            let children = children.iter().filter_map(|&pid| Pid::from_raw(pid));
            let look = Look {
                children: children.collect(),
                switches_of_ended,
            };
            adopted.sort(look, |child| child.as_raw_nonzero().get() == OF_ANOTHER);
        }
        let [unknown, adopted] = [adopted.unknown, adopted.adopted].map(|pids| {
            let mut pids: Vec<_> = pids.iter().map(|pid| pid.as_raw_nonzero().get()).collect();
            pids.sort_unstable();
            pids
        });
        (unknown, adopted)
    }

    /// Case 18: A child is reaped by its worker only if nobody but that can be its parent.
    #[test]
    fn a_child_that_may_be_of_a_thread_that_ended_is_left() {
        let all: &[i32] = &[1, 2, 3, OF_ANOTHER];
        for (looks, unknown, adopted) in [
            (&[(0, all)][..], &[1][..], &all[1..]),
            (&[(1, all)], &[1, 2, 3], &[OF_ANOTHER]),
            // What is known stays known while it is there.
            (&[(0, &[1, 2]), (5, all)], &[1, 3], &[2, OF_ANOTHER]),
            (&[(5, &[1, 2]), (5, all)], &[1, 2], &[3, OF_ANOTHER]),
            (&[(5, &[2]), (5, &[]), (5, &[1, 2])], &[], &[1, 2]),
        ] {
            assert_eq!(
                after(looks),
                (unknown.to_vec(), adopted.to_vec()),
                "{looks:?}"
            );
        }
    }

    #[test]
    fn a_thread_that_has_started_a_process_and_ended_is_seen() {
        // Beside other tests there is hardly a moment at which no thread leaves its processor.
        let name =
            "platform::unix::adopted::tests::a_thread_that_has_started_a_process_and_ended_is_seen";
        mt_test_kit::alone(name, || {
            let ended = || {
                let mut look = None;
                mt_test_kit::wait_until(|| {
                    look = Look::now();
                    look.is_some()
                });
                look.map(|look| look.switches_of_ended)
            };
            for _ in 0..20 {
                let before = ended();
                let start = || std::process::Command::new("true").spawn().unwrap();
                let mut child = std::thread::spawn(start).join().unwrap();
                assert!(ended() > before);
                child.wait().unwrap();
            }
        });
    }
}

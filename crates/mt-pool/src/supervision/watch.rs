//! Watching a worker: its process is looked at here, and judged by [`Liveness`].

use std::time::Instant;

use mt_ipc::{Activity, Exit};

use super::{
    LINK,
    death::DeathCause,
    liveness::{Health, Liveness, LivenessPolicy, Silence},
    oom_evidence::OomEvidence,
    starvation::Starvation,
};

/// The bytes in a check's time that are a sign of life when no message has come to its end. Whoever sends a long one
/// sends many times that; one byte a second is none.
const SIGN_BYTES: u64 = 4096;

/// What a connection has moved so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    /// The bytes that have come.
    pub(super) received: u64,
    /// How often the worker has made room by reading.
    pub(super) room_made: u64,
}

const SIGKILL: i32 = 9;

#[derive(Debug)]
pub(super) struct Watch {
    pub(super) liveness: Liveness,
    pid: u32,
    busy_by_processor: bool,
    /// The processor time it had used when that was last looked at.
    ticks: Option<u64>,
    traffic: Traffic,
    /// When the connection was last seen to move something long.
    pub(super) moved: Option<Instant>,
    out_of_memory: OomEvidence,
    starvation: Starvation,
}

impl Watch {
    /// Over a worker that has just said something.
    pub(super) fn new(policy: LivenessPolicy, busy_by_processor: bool, pid: u32) -> Self {
        Self {
            liveness: Liveness::new(policy, Instant::now()),
            pid,
            busy_by_processor,
            ticks: None,
            traffic: Traffic::default(),
            moved: None,
            out_of_memory: OomEvidence::new(pid),
            starvation: Starvation::default(),
        }
    }

    /// The process that is watched.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Takes note of what the connection has moved by now. Whether that shows that the worker lives: it receives, or
    /// sends, something long.
    pub(super) fn on_traffic(&mut self, now: Traffic) -> bool {
        let before = std::mem::replace(&mut self.traffic, now);
        let moves = now.room_made != before.room_made
            || now.received.saturating_sub(before.received) >= SIGN_BYTES;
        if moves {
            self.moved = Some(Instant::now());
        }
        moves
    }

    /// Whether the process has used the processor since that was last asked.
    pub(super) fn used_processor(&mut self) -> bool {
        used_processor(self.pid, &mut self.ticks)
    }

    /// Judges the worker; to be called every interval. See [`Liveness::check`]. `has_spoken` tells whether something of
    /// it has come that this process, which may have had no turn itself, has not taken in.
    pub(super) fn check(
        &mut self,
        has_spoken: impl FnOnce() -> bool,
    ) -> (Option<Health>, Option<DeathCause>) {
        let was_busy = || self.busy_by_processor && used_processor(self.pid, &mut self.ticks);
        self.out_of_memory.look();
        let now = Instant::now();
        let why_silent = || {
            let silence = match self.pid {
                pid if mt_ipc::is_stopped(pid) => Silence::Stopped,
                pid if mt_ipc::is_dying(pid) => Silence::Dying,
                pid if self.starvation.look(now, Activity::of_thread(pid, LINK)) => {
                    Silence::Starved
                }
                _ => Silence::Unexplained,
            };
            // Asked last: one that rests because it has just had its turn has spoken before it was looked at.
            if has_spoken() { Silence::Over } else { silence }
        };
        self.liveness.check(now, why_silent, was_busy)
    }

    /// Whether the system has killed the worker for want of memory; to be asked once, when it has ended in a way that
    /// nobody here has brought about.
    pub(super) fn was_out_of_memory(&self, exit: Exit) -> bool {
        exit.signal == Some(SIGKILL) && self.out_of_memory.claim()
    }
}

fn used_processor(pid: u32, before: &mut Option<u64>) -> bool {
    let ticks = Activity::of(pid).map(|activity| activity.cpu_ticks);
    std::mem::replace(before, ticks) != ticks
}

//! Waiting for an admission.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    host_limits::HostLimits,
    host_queue::{HostQueue, Ticket, Turn},
};
use crate::out_of_range::OutOfRange;

/// How many kinds of limits a process keeps limiters of.
const KEPT_LIMITERS: usize = 16;

/// Limits requests to hosts. Clones share what they know.
#[derive(Clone)]
pub struct HostLimiter {
    shared: Arc<Shared>,
}

struct Shared {
    limits: HostLimits,
    hosts: Mutex<Hosts>,
}

type Hosts = HashMap<Arc<str>, HostQueue<Arc<Notify>>>;

impl HostLimiter {
    /// A limiter that knows of no requests.
    ///
    /// # Errors
    /// [`OutOfRange`] for limits that are.
    pub fn new(limits: &HostLimits) -> Result<Self, OutOfRange> {
        limits.check()?;
        let hosts = Mutex::default();
        let limits = limits.clone();
        let shared = Arc::new(Shared { limits, hosts });
        Ok(Self { shared })
    }

    /// The limiter of this process for these limits: what one batch's context has sent counts for the next one's too.
    ///
    /// # Errors
    /// [`OutOfRange`] for limits that are.
    pub fn of_process(limits: &HostLimits) -> Result<Self, OutOfRange> {
        static KEPT: Mutex<Vec<HostLimiter>> = Mutex::new(Vec::new());
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|one| one.shared.limits == *limits);
        let limiter = match found {
            Some(at) => kept.remove(at),
            None => Self::new(limits)?,
        };
        kept.truncate(KEPT_LIMITERS - 1);
        kept.insert(0, limiter.clone());
        Ok(limiter)
    }

    /// Waits until a request to this host may begin. The host is any text; that of a URL's origin is usual.
    ///
    /// First come, first served. Cancel-safe: a wait that is dropped takes no turn, and those behind move up.
    pub async fn admit(&self, host: &str) -> Admission {
        let host: Arc<str> = host.into();
        let woken = Arc::new(Notify::new());
        let ticket = self.shared.enter(&host, woken.clone());
        let place = Place::Waiting(ticket);
        let shared = self.shared.clone();
        let mut admission = Admission {
            shared,
            host,
            place,
        };
        loop {
            match admission.turn(ticket) {
                Turn::Go => return admission,
                Turn::At(at) => sleep_until(Instant::from_std(at)).await,
                Turn::Later => woken.notified().await,
            }
        }
    }

    /// Admits nobody to this host for a time, because it has asked for that. Admissions that are there stay.
    pub fn hold_back(&self, host: &str, time: Duration) {
        let mut hosts = self.shared.hosts();
        let queue = self.shared.queue(&mut hosts, &host.into());
        queue.close_for(time, now());
    }

    /// How many hosts are remembered.
    #[must_use]
    pub fn hosts(&self) -> usize {
        self.shared.hosts().len()
    }
}

impl fmt::Debug for HostLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("HostLimiter");
        debug
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, host: &Arc<str>, woken: Arc<Notify>) -> Ticket {
        self.queue(&mut self.hosts(), host).enter(woken)
    }

    fn queue<'a>(&self, hosts: &'a mut Hosts, host: &Arc<str>) -> &'a mut HostQueue<Arc<Notify>> {
        if !hosts.contains_key(host) {
            self.make_room(hosts);
        }
        let queue = hosts.entry(host.clone());
        queue.or_insert_with(|| HostQueue::new(&self.limits))
    }

    /// Forgets what no longer matters once there are as many hosts as there may be, and if that is nothing the host
    /// for which it will soonest. Those that are in use stay: there are as many as there are requests.
    fn make_room(&self, hosts: &mut Hosts) {
        if hosts.len() < self.limits.most_remembered() {
            return;
        }
        let now = now();
        hosts.retain(|_, queue| queue.matters_for(now) != Some(Duration::ZERO));
        if hosts.len() >= self.limits.most_remembered() {
            let idle = hosts
                .iter()
                .filter_map(|(host, queue)| Some((queue.matters_for(now)?, host)));
            let soonest = idle.min().map(|(_, host)| host.clone());
            soonest.and_then(|host| hosts.remove(&host));
        }
    }
}

/// The right to send a request to a host, until it is dropped: when the answer's last byte has come.
#[must_use = "it ends when it is dropped"]
pub struct Admission {
    shared: Arc<Shared>,
    host: Arc<str>,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Waiting(Ticket),
    Admitted,
}

impl Admission {
    fn turn(&mut self, ticket: Ticket) -> Turn {
        let mut hosts = self.shared.hosts();
        let queue = hosts
            .get_mut(&self.host)
            .expect("a host in use is remembered");
        let turn = queue.turn(ticket, now());
        if turn == Turn::Go {
            self.place = Place::Admitted;
            wake_first(queue);
        }
        turn
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut hosts = self.shared.hosts();
        let queue = hosts
            .get_mut(&self.host)
            .expect("a host in use is remembered");
        match self.place {
            Place::Waiting(ticket) => queue.give_up(ticket),
            Place::Admitted => queue.leave(),
        }
        wake_first(queue);
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

fn wake_first(queue: &HostQueue<Arc<Notify>>) {
    if let Some(first) = queue.first() {
        first.notify_one();
    }
}

/// The time; in a test with tokio's paused clock, that.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

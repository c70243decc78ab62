//! A worker bee in her process: one thread talks to her parent, the other does her tasks.

mod progress_buffer;
mod run_bee;
mod session;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mt_ipc::Progress;
use mt_pool::{
    register_role,
    worker::{NotSetUp, RoleLink, RoleSession, RoleWork},
};
use mt_proto::{TaskId, TaskInfo, TaskStatus, decode_strict};
use tokio::sync::mpsc;

pub(crate) use progress_buffer::ProgressBuffer;
pub(crate) use run_bee::{RunBee, run_bee};

use crate::registry::{self, BeeSetup};

/// What one thread has for the other, beyond the places of a bee.
const SPARE: usize = 64;
/// The tasks that wait for a bee without a limit to take them.
const UNLIMITED: usize = 1 << 16;

/// What a bee is told to do.
#[derive(Debug)]
pub(crate) enum Order {
    Start(TaskInfo),
    Cancel(TaskId),
    /// Let her own bees die.
    Bury,
}

/// What becomes of it.
#[derive(Debug)]
pub(crate) enum Report {
    /// The bee is made, and may or may not have children.
    Ready { children: bool },
    /// Her own bees are gone.
    ChildrenGone,
    /// She can't be made.
    NotReady(String),
    /// A task has ended.
    Ended(TaskId, TaskStatus),
    /// There is something in [`ProgressBuffer`].
    Progress,
}

/// The end of the thread that does the tasks.
pub(crate) struct TaskEnd {
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) reports: mpsc::Sender<Report>,
    /// Where tasks tell how far they are.
    pub(crate) progress: Arc<ProgressBuffer>,
    /// Where it tells how far it is, and that it goes on at all.
    pub(crate) counts: Progress,
    /// How often it does that when nothing else happens.
    pub(crate) beat_interval: Duration,
}

/// The end of the thread that talks.
struct TalkEnd {
    orders: mpsc::Sender<Order>,
    reported: mpsc::Receiver<Report>,
    progress: Arc<ProgressBuffer>,
}

/// The role of a worker bee.
pub(crate) const WORKER_BEE: &str = "mt_beehive::worker_bee";

register_role!(WORKER_BEE, start);

/// Takes a worker process over.
fn start(body: Bytes, link: RoleLink) -> (RoleWork, RoleSession) {
    let setup: BeeSetup = match decode_strict(&body) {
        Ok(setup) => setup,
        Err(error) => {
            let why = format!("the parent's setup of a bee does not decode: {error}");
            return (
                Box::new(|| Err(NotSetUp)),
                Box::pin(async move { Err(why) }),
            );
        }
    };
    // Each task is ordered, and perhaps cancelled, once.
    let places = setup
        .max_concurrency
        .map_or(UNLIMITED, |most| most as usize);
    let (orders, ordered) = mpsc::channel(2 * places + SPARE);
    let (reports, reported) = mpsc::channel(places + SPARE);
    let progress = Arc::new(ProgressBuffer::new(&reports));
    let end = TaskEnd {
        orders: ordered,
        reports,
        progress: Arc::clone(&progress),
        counts: link.progress.clone(),
        beat_interval: link.beat_interval,
    };
    let talk_end = TalkEnd {
        orders,
        reported,
        progress,
    };
    let session = session::run(setup.max_concurrency, link, talk_end);
    let work = move || match registry::find(&setup.bee) {
        Some(bee) => (bee.run_bee())(setup, end),
        None => {
            let why = format!("no worker bee is registered as `{}`", setup.bee);
            let _ = end.reports.blocking_send(Report::NotReady(why));
            Err(NotSetUp)
        }
    };
    (Box::new(work), Box::pin(session))
}

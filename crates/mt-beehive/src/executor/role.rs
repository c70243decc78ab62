//! The role of a worker bee: her process is taken over from here.

use std::{mem, sync::Arc};

use bytes::Bytes;
use mt_pool::{
    register_role,
    worker::{NotSetUp, RoleLink, RoleSession, RoleWork},
};
use mt_proto::decode_strict;
use tokio::sync::mpsc;

use super::{
    messages::Report, order_queue::OrderQueue, progress_buffer::ProgressBuffer, registration::find,
    run_bee::TaskEnd, session,
};
use crate::registry::{BeeSetup, WORKER_BEE};

/// What one thread has for the other, beyond the places of a bee.
const SPARE: usize = 64;
/// The ends of tasks that wait, of a bee without a limit.
const UNLIMITED: usize = 1 << 16;

register_role!(WORKER_BEE, start);

/// Takes a worker process over.
fn start(body: Bytes, mut link: RoleLink) -> (RoleWork, RoleSession) {
    // a value of ours.
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
    let places = setup
        .max_concurrency
        .map_or(UNLIMITED, |most| most as usize);
    let orders = Arc::new(OrderQueue::default());
    let (reports, reported) = mpsc::channel(places + SPARE);
    let progress = Arc::new(ProgressBuffer::new(&reports));
    let end = TaskEnd {
        orders: Arc::clone(&orders),
        reports,
        progress: Arc::clone(&progress),
        counts: link.progress.clone(),
        beat_interval: link.beat_interval,
    };
    let beside = mem::take(&mut link.attachments);
    let session = session::run(setup.max_concurrency, link, orders, reported, progress);
    let work = move || match find(&setup.bee) {
        Some(bee) => (bee.run_bee)(setup, beside, end),
        None => {
            let why = format!("no worker bee is registered as `{}`", setup.bee);
            let _ = end.reports.blocking_send(Report::NotReady(why));
            Err(NotSetUp)
        }
    };
    (Box::new(work), Box::pin(session))
}

//! One worker's life: start, handshake, traffic, end. Events go to the supervisor in the order they
//! happened, the last of them when the process is reaped.
//!
//! Loop: one task a worker.

use std::sync::Arc;

use mt_ipc::{Spawned, StderrTail};
use mt_proto::WorkerId;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

use super::{
    life::Life,
    lot::{Got, Lot, Place, Wait},
    post::{CrewEvent, HANG_UP_GRACE, Post},
};
use crate::supervision::{Death, DeathCause, HelloTimeout, LastWords, WorkerFailure};

/// Brings a worker up and sees it through to its end.
pub(super) async fn pump(post: Post) {
    bring_up(post, None).await;
}

/// The same with the workers of a pool: one that waits there takes the post, or a new one does and
/// waits there afterwards.
pub(super) async fn pump_shared(post: Post, lot: Arc<Lot>) {
    let mut open = Some(post);
    while let Some(post) = open {
        open = match lot.fill(post).await {
            Got::Taken => None,
            // It may die while it waits, with its next post on the way.
            Got::Place(post, place) => bring_up(post, Some(place)).await,
            Got::Killed(post) => {
                let death = Death::new(mt_ipc::Exit::default(), DeathCause::Stopped);
                post.vacant(WorkerFailure::NoHello { death }).await;
                None
            }
        };
    }
}

/// Sees a process through to its end. Returns a post that came too late for it.
async fn bring_up(post: Post, place: Option<Place>) -> Option<Post> {
    match mt_ipc::spawn(post.recipe.command.clone()).await {
        Ok(spawned) => attend(spawned, post, place).await,
        Err(error) => {
            post.vacant(WorkerFailure::Spawn(error)).await;
            None
        }
    }
}

async fn attend(spawned: Spawned, post: Post, place: Option<Place>) -> Option<Post> {
    let Spawned {
        process,
        connection,
        progress,
        stderr,
        ..
    } = spawned;
    let (sender, mut receiver, writer) = connection.open(post.recipe.limits, post.recipe.queue);
    post.tell(CrewEvent::Started { pid: process.id() }).await;
    let mut life = Life::new(post, place, (sender, process), &progress);
    let writer = writer.run();
    tokio::pin!(writer);
    let mut hello = HelloTimeout::new();
    let mut writing = true;
    let mut reading = true;
    let exit = loop {
        let killer = life.killer();
        let listener = life.listener();
        tokio::select! {
            // All arms are cancel-safe: `recv` keeps what it has read, `wait` can be called again,
            // and the writer is not dropped.
            frame = receiver.recv(), if reading => {
                reading = life.on_frame(frame).await;
            }
            exit = life.process.wait() => break exit,
            () = sleep(HANG_UP_GRACE), if life.hung_up => {
                life.hung_up = false;
                life.end(DeathCause::HungUp);
            }
            () = killer.asked.notified() => life.end(DeathCause::Stopped),
            () = killer.asked_gently.notified() => life.terminate(),
            () = deserted(&listener), if listener.is_some() && life.cause.is_none() => life.end(DeathCause::Stopped),
            () = until(life.last_moment), if life.last_moment.is_some() => {
                life.last_moment = None;
                life.end(DeathCause::Stopped);
            }
            () = until(life.setup_due), if life.setup_due.is_some() => life.setup_overran(),
            post = next_post(&mut life.wait), if life.wait.is_some() => life.take_post(post).await,
            () = until(life.idle_due), if life.idle_due.is_some() => life.on_idle(),
            () = hello.look_due(), if !life.greeted && !life.hung_up => {
                if let Some(waited) = hello.look(life.process.id()) {
                    life.failure.get_or_insert(WorkerFailure::Silent { waited });
                    life.end(DeathCause::Stopped);
                }
            }
            // A broken pipe: its exit, or its end of the connection, follows.
            _ = &mut writer, if writing => writing = false,
        }
    };
    if reading {
        life.drain(&mut receiver).await;
    }
    let stderr = match stderr {
        Some(stderr) => stderr.finish().await,
        None => StderrTail::default(),
    };
    let last_words = LastWords::new(stderr, &progress);
    life.over(exit, last_words).await
}

/// Waits until the supervisor is gone, which kills what it has left behind. Cancel-safe.
async fn deserted(listener: &Option<mpsc::Sender<(WorkerId, CrewEvent)>>) {
    match listener {
        Some(listener) => listener.closed().await,
        None => std::future::pending().await,
    }
}

/// Waits for the next post; `None` when there will be none. Cancel-safe.
async fn next_post(wait: &mut Option<Wait>) -> Option<Post> {
    match wait {
        Some(wait) => (&mut wait.lease).await.ok(),
        None => std::future::pending().await,
    }
}

/// Waits until then. Cancel-safe.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

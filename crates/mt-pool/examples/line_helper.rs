//! A third kind of crew on the storey that pool and hive stand on: a supervised helper process that answers line by
//! line. A line that kills it costs that line; a new helper takes the next one.
//!
//! `cargo run --example line_helper -p mt-pool`

use anyhow::{Result, bail};
use bytes::Bytes;
use mt_pool::{
    register_role,
    supervision::{Frame, Kind, SessionEvent, SpawnSpec, WorkerId, Workers},
    worker::{Incoming, RoleEnd, RoleLink, RoleSession, RoleWork},
};
use tokio::sync::mpsc;

/// The helper's own code: on the main thread, where it may block, crash or loop.
fn answer(line: &str) -> String {
    if line == "crash" {
        std::process::abort();
    }
    line.chars().rev().collect()
}

register_role!("line_helper", start);

/// The helper's process: lines come in on the link's thread, and are answered on the main thread.
fn start(_setup: Bytes, mut link: RoleLink) -> (RoleWork, RoleSession) {
    let (lines, mut inbox) = mpsc::channel::<String>(16);
    let (answers, mut outbox) = mpsc::channel::<String>(16);
    let work = move || {
        while let Some(line) = inbox.blocking_recv() {
            let _ = answers.blocking_send(answer(&line));
        }
        Ok(())
    };
    let session = async move {
        link.ready().map_err(|error| error.to_string())?;
        loop {
            tokio::select! {
                incoming = link.recv() => match incoming? {
                    Incoming::Frame(frame) => {
                        let line = String::from_utf8_lossy(&frame.into_body()).into_owned();
                        lines.try_send(line).map_err(|error| error.to_string())?;
                    }
                    Incoming::Die | Incoming::Rest => return Ok(RoleEnd::Done),
                },
                Some(answer) = outbox.recv() => {
                    let frame = Frame::new(Kind::Role, answer.into_bytes());
                    link.sender.try_send(frame).map_err(|error| error.to_string())?;
                }
            }
        }
    };
    (Box::new(work), Box::pin(session) as RoleSession)
}

#[mt_pool::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (mut helpers, mut events) =
        Workers::new(SpawnSpec::new("line_helper", None, |_| Bytes::new())?);
    let mut lines = ["stressed", "crash", "drawer"].into_iter().peekable();
    let (mut helper, mut link) = (WorkerId(0), None);
    helpers.start(helper);
    while let Some(line) = lines.peek() {
        let Some((_, event)) = events.recv().await else {
            bail!("the helpers are gone");
        };
        match event {
            SessionEvent::Greeted { sender, .. } => {
                link = Some(sender);
                continue;
            }
            SessionEvent::Frame(frame) => {
                println!("{line} -> {}", String::from_utf8_lossy(&frame.into_body()));
                lines.next();
            }
            SessionEvent::Ended(end) => {
                if let Some(failure) = end.failure {
                    bail!(failure);
                }
                println!("{line} -> lost: {}", end.death.brief());
                lines.next();
                (helper, link) = (WorkerId(helper.0 + 1), None);
                helpers.start(helper);
                continue;
            }
            SessionEvent::Ready => {}
            _ => continue,
        }
        if let (Some(link), Some(line)) = (&link, lines.peek()) {
            link.try_send(Frame::new(Kind::Role, line.as_bytes().to_vec()))?;
        }
    }
    Ok(())
}

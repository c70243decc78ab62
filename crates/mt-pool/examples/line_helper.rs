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

/// The helper's process: a line comes in on the link's thread, and is answered on the main thread.
fn start(_setup: Bytes, mut link: RoleLink) -> (RoleWork, RoleSession) {
    let (lines, mut inbox) = mpsc::channel::<Bytes>(1);
    let (answers, mut outbox) = mpsc::channel::<String>(1);
    let work = move || {
        while let Some(line) = inbox.blocking_recv() {
            let _ = answers.blocking_send(answer(&String::from_utf8_lossy(&line)));
        }
        Ok(())
    };
    let session = async move {
        link.ready().map_err(|error| error.to_string())?;
        while let Incoming::Frame(line) = link.recv().await? {
            let _ = lines.send(line.into_body()).await;
            let answer = outbox.recv().await.ok_or("the main thread has ended")?;
            let sent = link.sender.try_send(Frame::new(Kind::Role, answer));
            sent.map_err(|error| error.to_string())?;
        }
        Ok(RoleEnd::Done)
    };
    (Box::new(work), Box::pin(session))
}

#[mt_pool::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let spec = SpawnSpec::new("line_helper", None, |_| Bytes::new())?;
    let (mut helpers, mut events) = Workers::new(spec);
    let mut lines = ["stressed", "crash", "drawer"].into_iter();
    let (mut line, mut link) = (lines.next(), None);
    helpers.start(WorkerId(0));
    while let Some(asked) = line
        && let Some((helper, event)) = events.recv().await
    {
        let is_free = matches!(event, SessionEvent::Ready | SessionEvent::Frame(_));
        match event {
            SessionEvent::Greeted { sender, .. } => link = Some(sender),
            SessionEvent::Frame(answer) => {
                println!(
                    "{asked} -> {}",
                    String::from_utf8_lossy(&answer.into_body())
                );
                line = lines.next();
            }
            SessionEvent::Ended(end) => {
                if let Some(failure) = end.failure {
                    bail!(failure);
                }
                println!("{asked} -> lost: {}", end.death.brief());
                line = lines.next();
                helpers.start(WorkerId(helper.0 + 1));
            }
            _ => {}
        }
        if let (true, Some(link), Some(line)) = (is_free, &link, line) {
            link.try_send(Frame::new(Kind::Role, line))?;
        }
    }
    Ok(())
}

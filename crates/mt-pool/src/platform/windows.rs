//! What a console and the system tell a process.
//!
//! Loop: none of its own; all waits are cancel-safe.

use std::{future::pending, io};

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

use super::AskedBy;

/// Listens until one has come: the next has its default effect, which whoever listens holds off.
#[derive(Debug)]
pub(crate) struct StopSignal(Option<Events>);

#[derive(Debug)]
enum Events {
    Interrupt(CtrlC),
    Terminate(CtrlBreak, CtrlClose, CtrlShutdown),
}

impl StopSignal {
    /// Starts listening; `None` if the system refuses.
    pub(crate) fn listen(asked_by: AskedBy) -> Option<Self> {
        let events = match asked_by {
            AskedBy::Interrupt => ctrl_c().map(Events::Interrupt),
            AskedBy::Terminate => terminations(),
        };
        events.ok().map(|events| Self(Some(events)))
    }

    /// Waits for it. Cancel-safe.
    pub(crate) async fn recv(&mut self) {
        let came = match &mut self.0 {
            Some(Events::Interrupt(interrupt)) => interrupt.recv().await,
            Some(Events::Terminate(by_key, close, shutdown)) => tokio::select! {
                came = by_key.recv() => came,
                came = close.recv() => came,
                came = shutdown.recv() => came,
            },
            None => pending().await,
        };
        match came {
            Some(()) => self.0 = None,
            None => pending().await,
        }
    }
}

fn terminations() -> io::Result<Events> {
    Ok(Events::Terminate(
        ctrl_break()?,
        ctrl_close()?,
        ctrl_shutdown()?,
    ))
}

//! A child process as its parent holds it: by its process group, and by those below it that have left that.

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus};

use rustix::process::Pid;
use tokio::process::Child;

use super::{
    ExitWatch,
    reap::Orphans,
    tree::{Remains, kill_group, kill_tree, terminate_tree},
};
use crate::Exit;

/// A child and all that is below it.
#[derive(Debug)]
pub(crate) struct Process {
    /// Taken only on drop.
    child: Option<Child>,
    pid: Pid,
    watch: ExitWatch,
    remains: Remains,
    orphans: Orphans,
    reaped: bool,
}

impl Process {
    pub(crate) fn new(child: Child) -> io::Result<Self> {
        let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid = pid.ok_or(io::ErrorKind::NotFound)?;
        Ok(Self {
            child: Some(child),
            pid,
            watch: ExitWatch::new(pid),
            remains: Remains::default(),
            orphans: Orphans::default(),
            reaped: false,
        })
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Kills the process and everything it has started. Does nothing once it is reaped. Returns false if the system does
    /// not permit it, because the process is another user's: then it ends when its connection does, by itself.
    pub(crate) fn kill(&mut self) -> bool {
        let permitted = self.reaped || kill_tree(self.pid, |below| self.orphans.remember(below));
        self.remains.kill();
        permitted
    }

    /// Asks the process and everything it has started to end (`SIGTERM`). What is still there of it when
    /// the process has ended, or at a [`kill`](Self::kill), is killed. Does nothing once it is reaped, and
    /// kills at once what has started hundreds of processes.
    pub(crate) fn terminate(&mut self) {
        if self.reaped {
            return;
        }
        match terminate_tree(self.pid, |below| self.orphans.remember(below)) {
            Some(remains) => self.remains = remains,
            None => drop(self.kill()),
        }
    }

    /// Waits for the end of the process, kills what it has left in its process group, and reaps it. Reaps as well what
    /// has gone with it and has become this process's, if this process adopts orphans.
    ///
    /// Cancel-safe: call it again to go on waiting.
    pub(crate) async fn wait(&mut self) -> Exit {
        let is_told = self.watch.exited().await;
        if is_told {
            // Not reaped yet, so the group's number still means this group and no other.
            if !self.reaped {
                kill_group(self.pid);
            }
            self.remains.kill();
        }
        let waited = match &mut self.child {
            Some(child) => child.wait().await.ok(),
            None => None,
        };
        let status = waited.or_else(|| self.watch.reaped());
        let exit = status.map(Exit::from).unwrap_or_default();
        if !self.reaped && !is_told {
            // The second best: the number can only mean another group if the group is empty and the
            // number was given out again since.
            self.kill();
        }
        self.reaped = true;
        self.orphans.reap(self.pid).await;
        exit
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if !self.reaped
            && let Some(child) = self.child.take()
        {
            self.orphans.leave(self.pid, child);
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self {
            code: status.code(),
            signal: status.signal(),
            core_dumped: status.core_dumped(),
        }
    }
}

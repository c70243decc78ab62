//! The thread that ends a worker process when its parent is gone, and how a worker is ended from within.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::OnceLock,
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, fcntl_dupfd_cloexec},
    process::{
        Pid, Signal, getpid, getppid, kill_current_process_group, kill_process_group,
        test_kill_process,
    },
};

use super::{Adopted, is_wrapped, reap, signals, tree};
use crate::{AttachError, Progress};

/// How often adopted children are looked for, and the parent's id where its end can't be waited for.
const LOOK: Duration = Duration::from_millis(500);

/// The same while there are children. What comes between two looks can't always be told apart.
const LOOK_WITH_CHILDREN: Duration = Duration::from_millis(50);

/// The process that this worker works for: the parent, or that of a wrapper.
#[derive(Debug)]
pub(crate) struct Parent {
    /// `None` if a wrapper has made it invisible. Then the connection alone tells the end.
    pid: Option<Pid>,
    is_wrapped: bool,
    /// Tells its end. Linux only, and not when there is no descriptor to be had.
    #[cfg(target_os = "linux")]
    pidfd: Option<OwnedFd>,
}

impl Parent {
    /// Ties this process to its parent.
    ///
    /// # Errors
    /// [`AttachError::ParentGone`], and the system's.
    pub(super) fn bind(pid: Pid) -> Result<Self, AttachError> {
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{set_child_subreaper, set_parent_process_death_signal};
            // The guard thread does the killing, and it can take the worker's own children along. A
            // stopped process runs no thread, so the parent's death first lets it continue. (The signal
            // is sent when the parent's *thread* that started us ends; that thread lives for ever.)
            let _ = set_parent_process_death_signal(Some(Signal::CONT));
            // Children of a task that detach themselves stay below this process and can be found.
            let _ = set_child_subreaper(Some(getpid()));
        }
        let is_wrapped = is_wrapped();
        let pid = Some(pid)
            .filter(|pid| !is_wrapped || !cfg!(target_os = "linux") || tree::is_above(*pid));
        let parent = Self {
            pid,
            is_wrapped,
            #[cfg(target_os = "linux")]
            pidfd: pid.and_then(|pid| {
                rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
            }),
        };
        survive_hangup();
        // It may have died before the lines above.
        match parent.is_gone() {
            false => Ok(parent),
            true => Err(AttachError::ParentGone),
        }
    }

    fn is_gone(&self) -> bool {
        match self.pid {
            Some(pid) if self.is_wrapped => test_kill_process(pid) == Err(Errno::SRCH),
            Some(pid) => getppid() != Some(pid),
            None => false,
        }
    }

    /// Waits until it is gone, or its end of the connection closed. Either may come without the other: a process that
    /// it has forked off holds the connection open, and it may close the connection and live on. Reaps adopted children
    /// meanwhile.
    fn wait(&self, connection: impl AsFd, adopted: &mut Adopted) {
        // No event is asked of the connection: only a hang-up or an error, which are always told, end the wait.
        let mut fds = vec![PollFd::new(&connection, PollFlags::empty())];
        #[cfg(target_os = "linux")]
        fds.extend(
            self.pidfd
                .iter()
                .map(|pidfd| PollFd::new(pidfd, PollFlags::IN)),
        );
        loop {
            let look = [LOOK, LOOK_WITH_CHILDREN][usize::from(reap::has_children())];
            match poll(&mut fds, Timespec::try_from(look).ok().as_ref()) {
                Err(Errno::INTR) => {}
                Ok(0) if !self.is_gone() => adopted.reap_dead(),
                _ => return,
            }
        }
    }
}

/// Takes SIGHUP and does nothing. When a parent dies, the system may send it to a worker's group if any
/// process in it is stopped; a worker that it ended could not take along what has left the group. The
/// programs a worker starts are not affected: they start with the signal's default, or ignore it if this
/// process does (`nohup`).
fn survive_hangup() {
    if !signals::is_ignored(libc::SIGHUP) {
        signals::take(libc::SIGHUP);
    }
}

/// Ends this worker process, with everything below it, when its parent is gone or closes its end of the connection.
/// Nothing the user's code does can hold that up: it takes a thread that runs nothing else and only sleeps in the kernel
/// until then.
#[derive(Debug)]
pub struct Guard {
    parent: Parent,
    socket: OwnedFd,
    adopted: Adopted,
}

impl Guard {
    /// # Errors
    /// The system's, when it has no descriptor left.
    pub(super) fn new(
        connection: impl AsFd,
        parent: Parent,
        progress: &Progress,
    ) -> io::Result<Self> {
        let socket = fcntl_dupfd_cloexec(connection, 3)?;
        let _ = SHARED.set(progress.clone());
        Ok(Self {
            parent,
            socket,
            adopted: Adopted::new(),
        })
    }

    /// Watches on the thread that calls this, for good. That may be the process's first, which is of no use otherwise.
    pub fn watch(mut self) -> ! {
        self.parent.wait(&self.socket, &mut self.adopted);
        hang_up();
    }

    /// Watches on a thread of its own.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn on_thread(self) -> io::Result<()> {
        let thread = thread::Builder::new().name("mt-guard".into());
        let thread = thread.stack_size(128 * 1024);
        thread.spawn(|| self.watch()).map(drop)
    }
}

/// Kills what this worker process has started and is still there, also what has detached itself, and reaps it, so
/// that nobody above has to. To be called just before it exits: afterwards nobody could tell whose they were.
///
/// One system call tells that there is nothing of it: a look into `/proc` would not only take longer, but leave the system
/// with entries to clear away when the process ends, which whoever reaps it waits for.
pub fn end_descendants() {
    // What has detached itself is a child of this process as well, which adopts it.
    if reap::has_children() {
        tree::kill_below(getpid());
        reap::all_children();
    }
}

/// What tells a parent that lives why this process ends.
static SHARED: OnceLock<Progress> = OnceLock::new();

/// [`end_worker`] because the connection has ended: the parent is gone, or a task has closed what was not its own, which
/// a parent is to be told.
pub fn hang_up() -> ! {
    if let Some(progress) = SHARED.get() {
        progress.set_hung_up();
    }
    end_worker()
}

/// Ends this worker process at once, together with all it has started. For a worker whose parent is
/// gone: an exit would leave what it has started behind.
pub fn end_worker() -> ! {
    end_descendants();
    let _ = match is_wrapped() {
        // It is the wrapper's group, which was made for it.
        true => kill_current_process_group(Signal::KILL),
        false => kill_process_group(getpid(), Signal::KILL),
    };
    // Reached only when this process leads no group, as under a debugger that started it.
    std::process::abort()
}

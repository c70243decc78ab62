//! What signals do to this process, and what they are called.
#![expect(unsafe_code, reason = "asking for and setting the effects of signals")]

use std::{
    borrow::Cow,
    mem::MaybeUninit,
    ptr,
    sync::atomic::{AtomicI32, Ordering},
};

use libc::c_int;
use rustix::process::Pid;

/// Whether this process ignores a signal, by its number: what is so from the start on is so on purpose, as after
/// `nohup` or the shell's `trap '' INT`.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    effect(signal).is_some_and(|effect| effect.sa_sigaction == libc::SIG_IGN)
}

/// What a signal does now.
fn effect(signal: c_int) -> Option<libc::sigaction> {
    let mut effect = MaybeUninit::uninit();
    // SAFETY: without a new effect nothing is changed; the current one is written into memory that is ours.
    let told = unsafe { libc::sigaction(signal, ptr::null(), effect.as_mut_ptr()) };
    // SAFETY: the system has written it.
    (told == 0).then(|| unsafe { effect.assume_init() })
}

/// Gives a signal an effect of the system's (`SIG_DFL`, `SIG_IGN`), and returns the one before.
fn set(signal: c_int, new: libc::sighandler_t) -> Option<libc::sigaction> {
    let before = effect(signal)?;
    // SAFETY: all zeros is a valid `sigaction`: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = new;
    put_back(signal, &action);
    Some(before)
}

fn put_back(signal: c_int, action: &libc::sigaction) {
    // SAFETY: what is set is no handler, one that does nothing, or one that was set before and is as sound as it was then.
    let _ = unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
}

/// Sees to it that how children end can be learned. A process that ignores `SIGCHLD`, or says that it does not want
/// to wait, has them reaped by the system; where that does not tell how they ended, it has to be asked not to.
pub(crate) fn keep_exit_statuses() {
    let Some(mut action) = effect(libc::SIGCHLD) else {
        return;
    };
    let reaped_by_system =
        action.sa_sigaction == libc::SIG_IGN || action.sa_flags & libc::SA_NOCLDWAIT != 0;
    if !reaped_by_system || super::tells_of_reaped() {
        return;
    }
    if action.sa_sigaction == libc::SIG_IGN {
        action.sa_sigaction = libc::SIG_DFL;
    }
    action.sa_flags &= !libc::SA_NOCLDWAIT;
    put_back(libc::SIGCHLD, &action);
}

/// Gives a signal its default effect back.
pub(super) fn set_default(signal: c_int) {
    set(signal, libc::SIG_DFL);
}

/// Takes a signal from now on and does nothing. The programs that are started have its default effect.
pub(super) fn take(signal: c_int) {
    extern "C" fn nothing(_signal: c_int) {}
    // SAFETY: all zeros is a valid `sigaction`: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = nothing as extern "C" fn(c_int) as libc::sighandler_t;
    // No system call of any thread ends for it.
    action.sa_flags = libc::SA_RESTART;
    put_back(signal, &action);
}

/// Whose `SIGTERM` is not ignored. Not the parent's, which may be a wrapper.
static MASTER: AtomicI32 = AtomicI32::new(0);

/// Ignores a `SIGTERM` from now on unless the process that this one works for has sent it: that one ends the process as ever. Programs
/// that are started have the default effect, and a handler that is installed later takes the place of all this. A process
/// that ignores the signal anyway goes on to.
pub(super) fn ignore_terminate_of_others(master: Pid) {
    MASTER.store(master.as_raw_nonzero().get(), Ordering::Relaxed);
    if is_ignored(libc::SIGTERM) {
        return;
    }
    // SAFETY: all zeros is a valid `sigaction`: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = on_terminate_address();
    // No system call of any thread ends for it.
    action.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO;
    put_back(libc::SIGTERM, &action);
}

/// Whether this process ignores a `SIGTERM` that its parent has not sent, because it is a worker that was
/// [told to](crate::WorkerCommand::ignores_terminate), and no task has changed that.
#[must_use]
pub fn ignores_terminate_of_others() -> bool {
    effect(libc::SIGTERM).is_some_and(|effect| effect.sa_sigaction == on_terminate_address())
}

fn on_terminate_address() -> libc::sighandler_t {
    on_terminate as Handler as libc::sighandler_t
}

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// Calls only what may be called in a handler.
extern "C" fn on_terminate(signal: c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the system gives it to a handler that asks for it (`SA_SIGINFO`), and a signal like this has a sender.
    let sender = unsafe { (*info).si_pid() };
    // A handler that came later, and calls the one before it, decides by itself.
    if sender == MASTER.load(Ordering::Relaxed) && ignores_terminate_of_others() {
        set_default(signal);
        // Its effect comes when this handler returns.
        // SAFETY: it takes numbers, and is sent to this process.
        let _ = unsafe { libc::kill(libc::getpid(), signal) };
    }
}

/// Ignores a signal from now on, and so will the programs that are started.
pub(super) fn ignore(signal: c_int) {
    set(signal, libc::SIG_IGN);
}

/// Ignores signals while something is done. What comes of them meanwhile is gone.
pub(super) fn ignoring<T>(signals: &[c_int], act: impl FnOnce() -> T) -> T {
    let before: Vec<_> = signals
        .iter()
        .map(|&signal| (signal, set(signal, libc::SIG_IGN)))
        .collect();
    let done = act();
    for (signal, effect) in before {
        if let Some(effect) = effect {
            put_back(signal, &effect);
        }
    }
    done
}

/// Lets all signals come to the current thread, and to those that it starts.
pub(super) fn unblock_all() {
    let mut none = MaybeUninit::uninit();
    // SAFETY: the set is ours, and made empty before it is used; nothing is asked to be told.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

/// What a signal is called on this system.
pub(crate) fn signal_name(signal: i32) -> Option<Cow<'static, str>> {
    let named = NAMES.iter().find(|(number, _)| *number == signal);
    let named = named.map(|(_, name)| Cow::Borrowed(*name));
    named.or_else(|| system_name(signal))
}

/// What other systems do not have. Real-time signals have no names but their distance from the first one.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn system_name(signal: c_int) -> Option<Cow<'static, str>> {
    let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    match signal {
        libc::SIGSTKFLT => Some("SIGSTKFLT".into()),
        libc::SIGPWR => Some("SIGPWR".into()),
        _ if signal == first => Some("SIGRTMIN".into()),
        _ if signal == last => Some("SIGRTMAX".into()),
        _ if (first..last).contains(&signal) => Some(format!("SIGRTMIN+{}", signal - first).into()),
        _ => None,
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn system_name(_signal: c_int) -> Option<Cow<'static, str>> {
    None
}

/// Signals with the names that the header of the system gives them.
macro_rules! names {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

#[rustfmt::skip]
const NAMES: &[(c_int, &str)] = names! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM
    SIGTERM SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH
    SIGIO SIGSYS
};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Case 11: every signal that can end a worker is told by its name.
    #[test]
    fn every_signal_has_a_name() {
        let name = |signal| signal_name(signal).unwrap_or_default().into_owned();
        // Those between are the C library's own.
        for signal in (1..32).chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
            assert!(name(signal).starts_with("SIG"), "{signal}");
        }
        assert_eq!(
            [7, 24, 25, 30, 16].map(name),
            ["SIGBUS", "SIGXCPU", "SIGXFSZ", "SIGPWR", "SIGSTKFLT"]
        );
        let first = libc::SIGRTMIN();
        assert_eq!(
            [first, first + 3, 64].map(name),
            ["SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX"]
        );
        assert_eq!([0, -1, 65, i32::MAX].map(signal_name), [const { None }; 4]);
    }

    #[test]
    fn what_is_ignored_for_a_while_is_as_before_afterwards() {
        set_default(libc::SIGWINCH);
        assert!(ignoring(&[libc::SIGWINCH], || is_ignored(libc::SIGWINCH)));
        assert!(!is_ignored(libc::SIGWINCH));
        ignore(libc::SIGWINCH);
        ignoring(&[libc::SIGWINCH], || {});
        assert!(is_ignored(libc::SIGWINCH));
        set_default(libc::SIGWINCH);
        assert!(!is_ignored(10_000), "there is no such signal");
    }
}

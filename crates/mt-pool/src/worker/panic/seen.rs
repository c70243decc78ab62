//! The panics of this thread that the hook has seen and nobody has been told of yet.
//!
//! Bounded: the last [`KEPT`], since user code was last begun.

use std::{
    any::{Any, TypeId},
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    fmt, thread,
};

use mt_proto::{borrowed_text, clip_text};

/// The panics kept: either user code has caught them, or they are still unwinding.
const KEPT: usize = 3;

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    /// Whether there is anything in `SEEN`, for a look that costs next to nothing.
    static ANY: Cell<bool> = const { Cell::new(false) };
    /// The latest is the last.
    static SEEN: RefCell<Vec<Seen>> = const { RefCell::new(Vec::new()) };
}

/// A panic when it begins.
#[derive(Debug)]
pub(super) struct Seen {
    carries: Identity,
    message: String,
    location: Option<String>,
    stack: Option<Backtrace>,
}

/// What a payload is told by from others. It moves between the hook and whoever catches it, but a text stays where
/// it is.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    kind: TypeId,
    text: Option<(usize, usize)>,
}

impl Identity {
    fn of(payload: &(dyn Any + Send)) -> Self {
        let text = borrowed_text(payload);
        Self {
            kind: payload.type_id(),
            text: text.map(|text| (text.as_ptr().addr(), text.len())),
        }
    }
}

impl Seen {
    pub(super) fn new(
        payload: &(dyn Any + Send),
        location: Option<String>,
        stack: Option<Backtrace>,
    ) -> Self {
        // No error is asked to display itself here: a panic inside the hook would end the process.
        let message = borrowed_text(payload).unwrap_or("something without a text");
        Self {
            carries: Identity::of(payload),
            message: clip_text(message.to_owned()),
            location,
            stack,
        }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn into_place(self) -> (Option<String>, Option<Backtrace>) {
        (self.location, self.stack)
    }

    /// Whether this is the panic that carries `payload`. A text that was freed may have left its place to another.
    fn is_of(&self, payload: &(dyn Any + Send), identity: &Identity) -> bool {
        let same = |text: &str| self.message == clip_text(text.to_owned());
        self.carries == *identity && borrowed_text(payload).is_none_or(same)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.location.as_deref().unwrap_or_default();
        write!(f, "panicked at {at}: {}", self.message)
    }
}

pub(super) fn watch_this_thread() {
    WATCHED.set(true);
}

pub(super) fn is_watched() -> bool {
    WATCHED.get()
}

/// User code begins: what it has caught before is no panic of its own. One that still unwinds is.
#[inline]
pub(super) fn begin() {
    if ANY.get() && !thread::panicking() {
        forget();
    }
}

#[cold]
fn forget() {
    drop(take_all());
}

pub(super) fn keep(new: Seen) {
    ANY.set(true);
    // What falls out is dropped outside, like all that is no plain bytes.
    let _old = SEEN.with_borrow_mut(|seen| {
        seen.push(new);
        (seen.len() > KEPT).then(|| seen.remove(0))
    });
}

pub(super) fn take_all() -> Vec<Seen> {
    ANY.set(false);
    SEEN.take()
}

/// Takes the panic that carries this payload, if it was seen.
pub(super) fn take(payload: &(dyn Any + Send)) -> Option<Seen> {
    if !ANY.get() {
        return None;
    }
    let identity = Identity::of(payload);
    SEEN.with_borrow_mut(|seen| {
        let at = seen.iter().rposition(|seen| seen.is_of(payload, &identity));
        at.map(|at| seen.remove(at))
    })
}

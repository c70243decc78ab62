//! What a panic carries: its text, as far as it has one, and its end, which is user code too.

use std::{
    any::Any,
    borrow::Cow,
    error::Error,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// A panic message longer than this is cut before it is looked at any further.
const PAYLOAD_BYTES: usize = 64 * 1024;
/// How many payloads inside each other are looked through for a text, and how many that panic when they are dropped
/// are dropped for the next one. What is behind them is leaked.
const NESTED: usize = 8;

/// What is told of a payload without a text: what its type is can't be found out.
const NO_TEXT: &str = "a panic without a message: what it carries is no text and no error";

type Payload = Box<dyn Any + Send>;

/// The message of a panic: of a payload that is a text, an error, or another payload; of others that there is none.
#[must_use]
pub fn panic_text(payload: &(dyn Any + Send)) -> String {
    let shown = catch_unwind(AssertUnwindSafe(|| text(payload, NESTED)));
    shown.unwrap_or_else(|second| {
        discard(second);
        NO_TEXT.to_owned()
    })
}

fn text(payload: &(dyn Any + Send), nested: usize) -> String {
    if let Some(text) = borrowed_text(payload) {
        return text.to_owned();
    }
    if let Some(error) = payload.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return error.to_string();
    }
    if let Some(error) = payload.downcast_ref::<Box<dyn Error + Send>>() {
        return error.to_string();
    }
    match payload.downcast_ref::<Payload>() {
        Some(inner) if nested > 0 => text(&**inner, nested - 1),
        _ => NO_TEXT.to_owned(),
    }
}

/// The text itself, of a payload that is one, cut if it is long.
#[must_use]
pub fn borrowed_text(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let text = text.or_else(|| Some(&**payload.downcast_ref::<Cow<'static, str>>()?));
    let text = text.or_else(|| Some(&**payload.downcast_ref::<Box<str>>()?));
    let text = text.or_else(|| Some(&**payload.downcast_ref::<Arc<str>>()?));
    text.map(|text| &text[..text.floor_char_boundary(PAYLOAD_BYTES)])
}

/// Drops a payload, whatever its drop does: one that panics leaves another payload.
pub fn discard(mut payload: Payload) {
    for _ in 0..NESTED {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    mem::forget(payload);
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    fn check(payload: impl Any + Send, expected: &str) {
        assert_eq!(panic_text(&payload), expected);
    }

    /// Case 6: The message of a panic is told for every payload that is a text or an error.
    #[test]
    fn whatever_has_a_text_is_told_by_it() {
        check("boom", "boom");
        check(String::from("boom"), "boom");
        check(Cow::Borrowed("boom"), "boom");
        check(Box::<str>::from("boom"), "boom");
        check(Arc::<str>::from("boom"), "boom");
        check(Box::<dyn Error + Send + Sync>::from("boom"), "boom");
        check(
            Box::new(fmt::Error) as Box<dyn Error + Send>,
            &fmt::Error.to_string(),
        );
        check(Box::new("boom") as Payload, "boom");
        check(Box::new(Box::new("boom") as Payload) as Payload, "boom");
        check(17, NO_TEXT);
        check((), NO_TEXT);
    }

    #[derive(Debug)]
    struct Bomb;

    impl fmt::Display for Bomb {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("shown")
        }
    }

    impl Error for Bomb {}

    struct DropsItself(usize);

    impl Drop for DropsItself {
        fn drop(&mut self) {
            std::panic::panic_any(Self(self.0 + 1));
        }
    }

    /// Case 7: A payload whose `Display` or `Drop` panics is a panic as any other.
    #[test]
    fn a_payload_that_panics_is_let_go_all_the_same() {
        check(Box::new(Bomb) as Box<dyn Error + Send>, NO_TEXT);
        discard(Box::new(DropsItself(0)));
    }
}

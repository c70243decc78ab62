//! The C functions, behind a safe one.
#![expect(unsafe_code, reason = "functions of C")]

use std::{
    ffi::{CStr, CString, c_char, c_int},
    ptr,
};

/// What `renderer_render` returns.
const RENDERED: c_int = 0;
const NOT_CLOSED: c_int = 1;

// SAFETY: these are the signatures of `renderer.c`.
unsafe extern "C" {
    /// `html` is set to a string for [`renderer_free`] when the function returns [`RENDERED`].
    fn renderer_render(source: *const c_char, html: *mut *mut c_char) -> c_int;
    fn renderer_free(html: *mut c_char);
}

/// Why a document is not rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A section is opened and not closed.
    #[error("a section is not closed")]
    NotClosed,
    /// A string of C ends at a zero byte.
    #[error("the document has a zero byte")]
    Zero,
    /// Neither is the document's fault.
    #[error("there is not enough memory")]
    NoMemory,
}

/// Renders a document into HTML. May also end the process, or never return, or leak: call it in a process of its own.
///
/// # Errors
/// [`Malformed`], of documents that the renderer refuses.
pub fn render(document: &str) -> Result<String, Malformed> {
    let source = CString::new(document).map_err(|_| Malformed::Zero)?;
    let mut html = ptr::null_mut();
    // SAFETY: both pointers are valid for the call; what the function does with some documents is why it is called in a
    // worker process.
    let rendered = unsafe { renderer_render(source.as_ptr(), &raw mut html) };
    match rendered {
        RENDERED => {}
        NOT_CLOSED => return Err(Malformed::NotClosed),
        _ => return Err(Malformed::NoMemory),
    }
    if html.is_null() {
        return Err(Malformed::NoMemory);
    }
    // SAFETY: the function has set it to a string with a zero at its end, which is ours.
    let text = unsafe { CStr::from_ptr(html) }
        .to_string_lossy()
        .into_owned();
    // SAFETY: the string is from the renderer, and not used any more.
    unsafe { renderer_free(html) };
    Ok(text)
}

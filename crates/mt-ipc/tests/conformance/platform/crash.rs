//! A crash.
#![expect(unsafe_code, reason = "writing where no memory is")]

/// Ends this process as code does that writes where it may not.
pub(crate) fn crash() -> ! {
    // SAFETY: no memory is there on any system, so the process ends, which is what is asked for.
    unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
    unreachable!("there is memory in the first page")
}

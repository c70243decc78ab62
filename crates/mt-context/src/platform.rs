//! What differs between systems.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::is_still;
#[cfg(unix)]
pub(crate) use unix::is_still;

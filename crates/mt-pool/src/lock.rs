//! Locks under which no user code runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex under which no user code runs. So what is in it is consistent, whatever has panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

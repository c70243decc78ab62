//! mt-pool

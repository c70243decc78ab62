//! When a request that failed is sent again, and when not.

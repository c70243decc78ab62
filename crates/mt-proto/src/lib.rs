//! mt-proto

//! Who is ended first where there is no memory left.

use std::fs;

/// How much sooner a worker is ended than this process, in thousandths of all the memory that there is for the two. Half:
/// more than a process like this one is larger than its workers, so that it is not ended while a new one is small.
const SOONER: i32 = 500;
/// The most that the system takes.
const MOST: i32 = 1000;

/// Has the system end a worker before this process, which the work of all workers depends on. What the worker starts is as
/// the worker is. Nothing depends on it, and only Linux has it.
pub(crate) fn end_before_this(worker: u32) {
    let own = fs::read_to_string("/proc/self/oom_score_adj");
    let Some(own) = own.ok().and_then(|own| own.trim().parse::<i32>().ok()) else {
        return;
    };
    let score = own.saturating_add(SOONER).min(MOST);
    let _ = fs::write(format!("/proc/{worker}/oom_score_adj"), score.to_string());
}

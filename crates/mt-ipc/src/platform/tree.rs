//! Killing a process with everything it has started.

use std::{collections::HashSet, fs};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Kills the process group led by `leader`, and the leader's descendants that have left the group.
/// What is already gone is no error.
pub(crate) fn kill_tree(leader: Pid) {
    let strays = descendants(leader);
    let _ = kill_process_group(leader, Signal::KILL);
    for stray in strays {
        let _ = kill_process(stray, Signal::KILL);
    }
}

/// The processes below `root`, however deep, as `/proc` shows them; none on systems without it.
///
/// A worker adopts the orphans among its descendants (it is a subreaper on Linux), so those that
/// have detached themselves are still found below it while it lives.
pub(crate) fn descendants(root: Pid) -> Vec<Pid> {
    let mut seen = HashSet::from([root]);
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        for child in children(parent) {
            if seen.insert(child) {
                found.push(child);
                open.push(child);
            }
        }
    }
    found
}

fn children(parent: Pid) -> Vec<Pid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{}/task", parent.as_raw_nonzero())) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| parse_pids(&list))
        .collect()
}

fn parse_pids(list: &str) -> Vec<Pid> {
    list.split_ascii_whitespace()
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        .collect()
}

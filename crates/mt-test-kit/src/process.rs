//! Looks at processes, as every system shows them.

use crate::platform::{children_of, doing};

/// The pids of this process's children, zombies too.
pub fn children() -> Vec<u32> {
    children_of(std::process::id())
}

/// Panics if this process has children, zombies too, and says what each of their threads does.
#[track_caller]
pub fn assert_no_children() {
    let left: Vec<String> = children().into_iter().map(doing).collect();
    assert!(left.is_empty(), "processes are left: {left:#?}");
}

/// The pids of a process's children, of theirs, and so on.
pub fn descendants_of(pid: u32) -> Vec<u32> {
    let children = children_of(pid);
    let below = children.iter().flat_map(|&child| descendants_of(child));
    below.chain(children.iter().copied()).collect()
}

/// What this process and those below it do, for people.
pub(crate) fn doing_below() -> impl Iterator<Item = String> {
    let own = std::process::id();
    let all = [own].into_iter().chain(descendants_of(own));
    all.map(doing)
}

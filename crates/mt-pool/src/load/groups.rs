//! Control groups of Linux, v1 and v2: the limits a container sets, and what is used of them.
//!
//! A group's limit holds for all below it, so every group from this process's own up to the root
//! counts. The groups are found once; limits and use are read anew each time.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock},
};

use super::{kills::KillCounter, memory::Memory};
use crate::lock::lock;

/// The memory of every group this process is in that has a limit below the machine's memory.
pub(super) fn of_this_process() -> Vec<Memory> {
    static GROUPS: OnceLock<Vec<Group>> = OnceLock::new();
    let groups = GROUPS.get_or_init(|| find(Path::new("/"), "self"));
    groups.iter().filter_map(Group::memory).collect()
}

/// Where kills in the group of a process are counted; `None` if there is no such process, or it is in no group that
/// counts them.
pub(crate) fn kill_counter(pid: u32) -> Option<KillCounter> {
    /// Workers are mostly where the one before was, and the list of mounts may be long.
    static LAST: Mutex<Option<(String, Option<KillCounter>)>> = Mutex::new(None);
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let mut last = lock(&LAST);
    if let Some((_, counter)) = last.as_ref().filter(|(of, _)| *of == groups) {
        return counter.clone();
    }
    let counter = kill_counter_below(Path::new("/"), &pid.to_string());
    *last = Some((groups, counter.clone()));
    counter
}

fn kill_counter_below(root: &Path, process: &str) -> Option<KillCounter> {
    let counters = find(root, process).into_iter().flat_map(|group| {
        // Of this group alone, before those that count what is below as well.
        let files: &[&str] = match group.version {
            Version::V1 => &["memory.oom_control"],
            Version::V2 => &["memory.events.local", "memory.events"],
        };
        let counter = move |file| KillCounter::at(group.folder.join(file));
        files.iter().map(counter)
    });
    // Memory that a group does not count is counted by the nearest one above that does.
    counters
        .into_iter()
        .find(|counter| counter.kills().is_some())
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    version: Version,
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

impl Version {
    /// The bytes that the kernel gives back before it kills anybody: pages of files, whether they were read once or
    /// often, and its own caches of names. Shared memory and locked pages are in none of these lists.
    fn droppable(self, stat: &str) -> u64 {
        // Those of version 1 are of this group and all below, as its usage is.
        let lists: &[&str] = match self {
            Self::V1 => &["total_inactive_file", "total_active_file"],
            Self::V2 => &["inactive_file", "active_file", "slab_reclaimable"],
        };
        let fields = stat.lines().filter_map(|line| line.split_once(' '));
        let fields = fields.filter(|(name, _)| lists.contains(name));
        fields
            .filter_map(|(_, bytes)| bytes.parse::<u64>().ok())
            .sum()
    }
}

impl Group {
    fn memory(&self) -> Option<Memory> {
        let (limit, used) = match self.version {
            Version::V1 => ("memory.limit_in_bytes", "memory.usage_in_bytes"),
            Version::V2 => ("memory.max", "memory.current"),
        };
        // "max" is no number and means none.
        let limit = self.number(limit).filter(|&limit| limit < NO_LIMIT)?;
        let stat = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        Memory::new(
            self.number(used)?
                .saturating_sub(self.version.droppable(&stat)),
            limit,
        )
    }

    fn number(&self, file: &str) -> Option<u64> {
        let text = fs::read_to_string(self.folder.join(file)).ok()?;
        text.trim().parse().ok()
    }
}

/// v1 writes the largest number of whole pages when there is no limit. No machine has half of it.
const NO_LIMIT: u64 = 1 << 62;

/// The groups of a process that count its memory, below `root`, which is `/` but for tests: for each version its own
/// first, and then those above.
fn find(root: &Path, process: &str) -> Vec<Group> {
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_default();
    let (groups, mounts) = (
        read(&format!("proc/{process}/cgroup")),
        read("proc/self/mountinfo"),
    );
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::parse).collect();
    let mut found = Vec::new();
    for (version, group) in groups.lines().filter_map(parse_group) {
        let Some(mount) = mounts.iter().find(|mount| mount.version == version) else {
            continue;
        };
        let top = root.join(mount.folder.trim_start_matches('/'));
        let mut folder = top.join(mount.below(group));
        // An upper group may be out of sight; what is above the mount is.
        while folder.starts_with(&top) {
            found.push(Group {
                version,
                folder: folder.clone(),
            });
            if !folder.pop() {
                break;
            }
        }
    }
    found
}

/// A line `number:controllers:path`: the group's version and path if it counts memory.
fn parse_group(line: &str) -> Option<(Version, &str)> {
    let mut parts = line.splitn(3, ':');
    let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    if controllers.split(',').any(|name| name == "memory") {
        return Some((Version::V1, path));
    }
    (number == "0" && controllers.is_empty()).then_some((Version::V2, path))
}

/// Where groups that count memory can be seen.
#[derive(Debug)]
struct Mount {
    version: Version,
    /// The group that is mounted.
    group: String,
    /// Where.
    folder: String,
}

impl Mount {
    /// A line `id parent device root folder options … - type source options`.
    fn parse(line: &str) -> Option<Self> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (group, folder) = (place.next()?, place.next()?);
        let mut kind = kind.split(' ');
        let version = match kind.next()? {
            "cgroup2" => Version::V2,
            "cgroup" if kind.nth(1)?.split(',').any(|option| option == "memory") => Version::V1,
            _ => return None,
        };
        Some(Self {
            version,
            group: unescape(group),
            folder: unescape(folder),
        })
    }

    /// Where a group is below this mount; at its top if it is out of sight, as it is in a container
    /// that sees the names of the host.
    fn below<'a>(&self, group: &'a str) -> &'a str {
        let inside = Path::new(group).strip_prefix(&self.group).ok();
        let inside = inside.and_then(Path::to_str).unwrap_or("");
        if inside.split('/').any(|part| part == "..") {
            return "";
        }
        inside
    }
}

/// Undoes the kernel's `\040` for a space and the like.
fn unescape(text: &str) -> String {
    let text = text.replace("\\040", " ").replace("\\011", "\t");
    text.replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests;

//! Trees of files as the kernel shows them, made up in a folder.

use std::fs;

use super::*;

const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const V1: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                  35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

fn tree(group: &str, mounts: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let own = [("proc/self/cgroup", group), ("proc/self/mountinfo", mounts)];
    for (path, text) in own.iter().chain(files) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    root
}

/// The kills that are counted for a process in this group.
fn kills(group: &str, mounts: &str, files: &[(&str, &str)]) -> Option<u64> {
    let root = tree(group, mounts, files);
    kill_counter_below(root.path(), "self")?.kills()
}

/// Case 8: Kills for want of memory are counted for a worker's own control group, under version 1 and 2.
#[test]
fn kills_are_those_of_the_process_s_own_group() {
    let v2 = [
        (
            "sys/fs/cgroup/a/memory.events",
            "low 0\noom 9\noom_kill 5\noom_group_kill 3\n",
        ),
        ("sys/fs/cgroup/a/b/memory.events.local", "oom_kill 1\n"),
        ("sys/fs/cgroup/a/b/memory.events", "oom_kill 4\n"),
        ("sys/fs/cgroup/a/b/c/cgroup.procs", "\n"),
    ];
    assert_eq!(kills("0::/a/b\n", V2, &v2), Some(1));
    assert_eq!(kills("0::/a\n", V2, &v2), Some(5));
    assert_eq!(
        kills("0::/a/b/c\n", V2, &v2),
        Some(1),
        "it counts no memory"
    );
    assert_eq!(kills("0::/\n", V2, &v2), None);
    let v1 = [(
        "sys/fs/cgroup/memory/a/memory.oom_control",
        "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n",
    )];
    assert_eq!(kills("4:memory:/a\n0::/\n", V1, &v1), Some(7));
    assert_eq!(kills("4:memory:/b\n0::/\n", V1, &v1), None);
}

/// Used and limit of each group with a limit, from the process's own up.
fn check(group: &str, mounts: &str, files: &[(&str, &str)], expected: &[(u64, u64)]) {
    let root = tree(group, mounts, files);
    let groups = find(root.path(), "self");
    let found: Vec<(u64, u64)> = groups
        .iter()
        .filter_map(Group::memory)
        .map(|memory| (memory.used_bytes, memory.limit_bytes))
        .collect();
    assert_eq!(found, expected);
}

/// Files that are read again and again are no more in use than others: the kernel drops their pages when it needs them.
///
/// Case 26: Page cache counts as free memory, under control groups of both versions.
#[test]
fn files_that_were_read_often_can_be_dropped() {
    let stat = "anon 10\nfile 900\nactive_file 850\ninactive_file 50\nshmem 0\n";
    let v2 = [
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "960\n"),
        ("sys/fs/cgroup/memory.stat", stat),
    ];
    check("0::/\n", V2, &v2, &[(60, 1000)]);
    let stat = "total_active_file 850\ntotal_inactive_file 50\n";
    let v1 = [
        ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000\n"),
        ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "960\n"),
        ("sys/fs/cgroup/memory/a/memory.stat", stat),
    ];
    check("4:memory:/a\n", V1, &v1, &[(60, 1000)]);
}

#[test]
fn a_container_of_version_2() {
    let files = [
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "700\n"),
        (
            "sys/fs/cgroup/memory.stat",
            "anon 300\nactive_file 50\ninactive_file 340\nslab_reclaimable 10\nslab 20\n",
        ),
    ];
    check("0::/\n", V2, &files, &[(300, 1000)]);
}

/// Case D31: The memory limits of all control groups above count.
#[test]
fn limits_of_all_groups_above_count() {
    let files = [
        ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ("sys/fs/cgroup/a/b/memory.current", "5\n"),
        ("sys/fs/cgroup/a/memory.max", "100\n"),
        ("sys/fs/cgroup/a/memory.current", "90\n"),
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "95\n"),
    ];
    check("0::/a/b\n", V2, &files, &[(90, 100), (95, 1000)]);
}

#[test]
fn a_container_of_version_1_that_sees_the_names_of_the_host() {
    let mounts = "35 31 0:32 /docker/f00 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    let files = [
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n"),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "600\n"),
        (
            "sys/fs/cgroup/memory/memory.stat",
            "inactive_file 1\nactive_file 1\ntotal_inactive_file 120\ntotal_active_file 80\n",
        ),
    ];
    for group in [
        "4:memory:/docker/f00\n",
        "4:memory:/elsewhere\n",
        "4:memory:/../x\n",
    ] {
        check(group, mounts, &files, &[(400, 1000)]);
    }
}

#[test]
fn version_1_without_a_limit() {
    let files = [
        (
            "sys/fs/cgroup/memory/a/memory.limit_in_bytes",
            "9223372036854771712\n",
        ),
        ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "600\n"),
    ];
    check("4:memory:/a\n3:cpu,cpuacct:/\n", V1, &files, &[]);
}

#[test]
fn both_versions_at_once() {
    let both = format!("{V1}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    let files = [
        ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "50\n"),
        ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "60\n"),
        ("sys/fs/cgroup/unified/cgroup.procs", "1\n"),
    ];
    check(
        "9:name=systemd:/\n4:memory:/a\n0::/\n",
        &both,
        &files,
        &[(50, 50)],
    );
}

#[test]
fn a_folder_with_a_space() {
    let mounts = "30 23 0:26 / /my\\040groups rw - cgroup2 none rw\n";
    let files = [
        ("my groups/memory.max", "10"),
        ("my groups/memory.current", "1"),
    ];
    check("0::/\n", mounts, &files, &[(1, 10)]);
}

#[test]
fn no_groups_and_nonsense() {
    check("", "", &[], &[]);
    check("nonsense\n1:2\n::\n", "nonsense\n - - -\n", &[], &[]);
    let files = [
        ("sys/fs/cgroup/memory.max", "0\n"),
        ("sys/fs/cgroup/memory.current", "1\n"),
    ];
    check("0::/\n", V2, &files, &[]);
}

#[test]
fn the_groups_of_this_process_can_be_read() {
    for memory in of_this_process() {
        assert!(memory.used_bytes <= memory.limit_bytes);
    }
}

//! What pages and documentation say of commands, examples and numbers is what there is.

use std::{collections::BTreeSet, process::Command};

use clap::CommandFactory;

use super::{Cli, step};

/// A file of the repository.
fn text(path: &str) -> String {
    std::fs::read_to_string(step::root().join(path)).expect(path)
}

/// The words that come after `before` in a text.
fn words_after<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let rests = text.split(before).skip(1);
    let words = rests.filter_map(|rest| rest.split(is_end).next());
    words.filter(|word| !word.is_empty()).collect()
}

/// Case R2: Every example and every command that the README names is there, and every command is named there.
#[test]
fn what_the_readme_names_is_there() {
    let readme = text("README.md");
    let examples = words_after(&readme, "--example ");
    let packages = words_after(&readme, "cargo run --release -p ");
    assert!(packages.len() > 5 && packages.len() == examples.len());
    for (package, example) in packages.iter().zip(&examples) {
        let folder = step::root().join("crates").join(package).join("examples");
        let file = folder.join(format!("{example}.rs")).exists();
        assert!(
            file || folder.join(example).join("main.rs").exists(),
            "{example}"
        );
    }
    let cli = Cli::command();
    let commands: Vec<_> = cli.get_subcommands().map(clap::Command::get_name).collect();
    let named = words_after(&readme, "cargo xtask ");
    for name in &named {
        assert!(
            commands.contains(name) || *name == "--help",
            "there is no {name}"
        );
    }
    for command in commands {
        assert!(
            named.contains(&command),
            "README.md does not name {command}"
        );
    }
}

/// Case R3: The README names the oldest Rust that will do.
#[test]
fn the_readme_names_the_oldest_rust() {
    let manifest = text("Cargo.toml");
    let (_, rest) = manifest
        .split_once("rust-version = \"")
        .expect("it is there");
    let (oldest, _) = rest.split_once('"').expect("it ends");
    assert!(
        text("README.md").contains(&format!("({oldest} or later)")),
        "{oldest}"
    );
}

/// Case R46: Each crate can be used alone: it brings along crates below it, and no other of ours.
#[test]
fn each_crate_brings_along_those_below_it() {
    for (package, below) in [
        ("mt-proto", &[][..]),
        ("mt-macros", &[]),
        ("mt-ipc", &["mt-proto"]),
        ("mt-pool", &["mt-ipc", "mt-macros", "mt-proto"]),
        (
            "mt-beehive",
            &["mt-ipc", "mt-macros", "mt-pool", "mt-proto"],
        ),
    ] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(step::root());
        cargo.args([
            "tree",
            "--offline",
            "--all-features",
            "--edges",
            "normal,build",
        ]);
        cargo.args([
            "--prefix",
            "none",
            "--format",
            "{lib}",
            "--package",
            package,
        ]);
        let output = cargo.output().expect("cargo runs");
        let tree = String::from_utf8(output.stdout).expect("names");
        let names = tree.lines().filter_map(|line| line.split(' ').next());
        let names = names.map(|name| name.replace('_', "-"));
        let ours: BTreeSet<_> = names.filter(|name| name.starts_with("mt-")).collect();
        let expected = below.iter().chain([&package]).map(ToString::to_string);
        assert_eq!(ours, expected.collect(), "{package}");
    }
}

/// A file as running text: without the marks of comments, and without ends of lines.
fn prose(path: &str) -> String {
    let marks = ["///", "//!"];
    let text = text(path);
    let lines = text.lines().map(|line| {
        let line = line.trim();
        let mut starts = marks.iter().filter_map(|mark| line.strip_prefix(mark));
        starts.next().unwrap_or(line).trim()
    });
    lines.collect::<Vec<_>>().join(" ")
}

const PROTOCOL: &str = "docs/protocol.md";

/// A page or a file's documentation, what it says, and in which file the code has which number.
type Number = (&'static str, &'static str, &'static str, &'static str);

/// Of `docs/protocol.md`.
const SAID_OF_THE_PROTOCOL: [Number; 18] = [
    (
        PROTOCOL,
        "more than 256 KiB is sent as several frames",
        "crates/mt-proto/src/limits.rs",
        "CHUNK_BYTES: usize = 256 * 1024;",
    ),
    (
        PROTOCOL,
        "holds up to 4096 of the messages",
        "crates/mt-proto/src/hive.rs",
        "MAX_HIVE_MESSAGES: usize = 4096;",
    ),
    (
        PROTOCOL,
        "within the start limit (30 s)",
        "crates/mt-pool/src/supervision/spawn_spec.rs",
        "START_LIMIT: Duration = Duration::from_secs(30);",
    ),
    (
        PROTOCOL,
        "`tracing` events, up to 512 and 63 KiB",
        "crates/mt-proto/src/trace.rs",
        "MAX_TRACE_EVENTS: usize = 512;",
    ),
    (
        PROTOCOL,
        "`tracing` events, up to 512 and 63 KiB",
        "crates/mt-pool/src/worker/trace/journal.rs",
        "BYTES: usize = MAX_CONTROL_BYTES - 1024;",
    ),
    (
        PROTOCOL,
        "| bee → parent | every 10 ms at most, warnings at once",
        "crates/mt-pool/src/worker/trace/journal.rs",
        "REST: Duration = Duration::from_millis(10);",
    ),
    (
        PROTOCOL,
        "`name` | of the task, up to 1024 bytes",
        "crates/mt-beehive/src/queen/delegate.rs",
        "MAX_NAME_BYTES: usize = 1024;",
    ),
    (
        PROTOCOL,
        "`args` | encoded, up to 1 GiB less 1 MiB",
        "crates/mt-beehive/src/registry.rs",
        "MAX_MESSAGE_BYTES: usize = MAX_RECORD_BYTES - (1 << 20);",
    ),
    (
        PROTOCOL,
        "within `Deadlines::init` (60 s)",
        "crates/mt-beehive/src/queen/deadlines.rs",
        "init: Duration::from_secs(60),",
    ),
    (
        PROTOCOL,
        "all tasks together every 10 ms at most",
        "crates/mt-beehive/src/executor/progress_buffer.rs",
        "REST: Duration = Duration::from_millis(10);",
    ),
    (
        PROTOCOL,
        "`progress`, encoded, up to 64 KiB",
        "crates/mt-beehive/src/bee.rs",
        "MAX_PROGRESS_BYTES: usize = 64 * 1024;",
    ),
    (
        PROTOCOL,
        "waited for the bee's thread for 10 ms",
        "crates/mt-beehive/src/executor/session.rs",
        "BEHIND_AFTER: Duration = Duration::from_millis(10);",
    ),
    (
        PROTOCOL,
        "`exception`: its text, up to 16 KiB",
        "crates/mt-proto/src/limits.rs",
        "MAX_TEXT_BYTES: usize = 16 * 1024;",
    ),
    (
        PROTOCOL,
        "the error itself, encoded, up to 16 MiB",
        "crates/mt-beehive/src/returned.rs",
        "MAX_ERROR_BYTES: usize = 16 << 20;",
    ),
    (
        PROTOCOL,
        "`Deadlines::suspect_grace` (10 s)",
        "crates/mt-beehive/src/queen/deadlines.rs",
        "suspect_grace: Duration::from_secs(10),",
    ),
    (
        PROTOCOL,
        "longer than cancel_grace, 50 ms",
        "crates/mt-beehive/src/queen/deadlines.rs",
        "cancel_grace: Duration::from_millis(50),",
    ),
    (
        PROTOCOL,
        "within `exit_grace` (5 s)",
        "crates/mt-beehive/src/queen/deadlines.rs",
        "exit_grace: Duration::from_secs(5),",
    ),
    (
        PROTOCOL,
        "crash_limit 3",
        "crates/mt-beehive/src/queen/options.rs",
        "crash_limit: 3,",
    ),
];

/// Of the documentation of the crates, and of the other pages.
const SAID_ELSEWHERE: [Number; 30] = [
    (
        "README.md",
        "until `crash_limit` bees (3)",
        "crates/mt-beehive/src/queen/options.rs",
        "crash_limit: 3,",
    ),
    (
        "README.md",
        "after `crash_limit` deaths (3)",
        "crates/mt-pool/src/pmap/options.rs",
        "crash_limit: 3,",
    ),
    (
        "README.md",
        "up to 1024 tasks at once each",
        "crates/mt-beehive/src/queen/options.rs",
        "MAX_CONCURRENCY: u32 = 1024;",
    ),
    (
        "crates/mt-beehive/src/lib.rs",
        "Up to 65 536 tasks",
        "crates/mt-beehive/src/driver/command_queue.rs",
        "MAX_OUTSTANDING: usize = 1 << 16;",
    ),
    (
        "crates/mt-beehive/src/bee.rs",
        "every 10 ms at most, the latest counts",
        "crates/mt-beehive/src/executor/progress_buffer.rs",
        "REST: Duration = Duration::from_millis(10);",
    ),
    (
        "crates/mt-beehive/src/queen/running.rs",
        "waits, a second at most",
        "crates/mt-beehive/src/driver/thread.rs",
        "DROP_WAIT: Duration = Duration::from_secs(1);",
    ),
    (
        "crates/mt-pool/src/lib.rs",
        "The last 8 KiB of a worker",
        "crates/mt-ipc/src/output/tail.rs",
        "KEPT_BYTES: usize = 8 * 1024;",
    ),
    (
        "crates/mt-pool/src/lib.rs",
        "the last 16 events of a worker",
        "crates/mt-ipc/src/platform/page.rs",
        "NOTE_SLOTS: usize = 16;",
    ),
    (
        "crates/mt-pool/src/lib.rs",
        "its rate over the last 10 s",
        "crates/mt-pool/src/stats/rate.rs",
        "WINDOW: Duration = Duration::from_secs(10);",
    ),
    (
        "crates/mt-pool/src/lib.rs",
        "keeps the last 512",
        "crates/mt-pool/src/events/log.rs",
        "KEPT: usize = 512;",
    ),
    (
        "crates/mt-pool/src/pmap/output.rs",
        "At most 4096 values are kept",
        "crates/mt-pool/src/driver/exit_hooks.rs",
        "MAX_VALUES: usize = 4096;",
    ),
    (
        "crates/mt-pool/src/pmap/output.rs",
        "and at most 1 s",
        "crates/mt-pool/src/supervision/session.rs",
        "END_WAIT: Duration = Duration::from_secs(1);",
    ),
    (
        "crates/mt-pool/src/pmap/builder.rs",
        "the outcome of up to 1024 items; then it is tried again",
        "crates/mt-pool/src/executor/context_batch.rs",
        "FAILED_ITEMS: u32 = 1024;",
    ),
    (
        "crates/mt-pool/src/pool.rs",
        "some 100 ms later",
        "crates/mt-pool/src/dispatch/share.rs",
        "TURN: Duration = Duration::from_millis(100);",
    ),
    (
        "crates/mt-pool/src/limits/deadlines.rs",
        "looked at every 25 ms",
        "crates/mt-pool/src/driver/watch.rs",
        "LOOK: Duration = Duration::from_millis(25);",
    ),
    (
        "crates/mt-pool/src/limits/memory_limits.rs",
        "looked at every 100 ms",
        "crates/mt-pool/src/driver/watch.rs",
        "WEIGH: Duration = Duration::from_millis(100);",
    ),
    (
        "crates/mt-pool/src/limits/memory_limits.rs",
        "From 90 % of it on",
        "crates/mt-pool/src/dispatch/memory.rs",
        "HIGH_MARK: f64 = 0.9;",
    ),
    (
        "crates/mt-pool/src/limits/recycle.rs",
        "looked at every 100 ms",
        "crates/mt-pool/src/driver/watch.rs",
        "WEIGH: Duration = Duration::from_millis(100);",
    ),
    (
        "crates/mt-pool/src/limits/worker_options.rs",
        "64 KiB to 64 GiB",
        "crates/mt-pool/src/limits/worker_options.rs",
        "MIN_STACK_BYTES: u64 = 64 << 10;",
    ),
    (
        "crates/mt-pool/src/limits/worker_options.rs",
        "and at least 8 MiB",
        "crates/mt-pool/src/supervision/spawn_spec.rs",
        "USUAL_STACK_BYTES: u64 = 8 << 20;",
    ),
    (
        "crates/mt-pool/src/load.rs",
        "more than 90 % of the memory",
        "crates/mt-pool/src/load.rs",
        "TOO_MUCH: f64 = 0.9;",
    ),
    (
        "crates/mt-pool/src/load.rs",
        "looks twice a second",
        "crates/mt-pool/src/load/cpu.rs",
        "PERIOD: Duration = Duration::from_millis(500);",
    ),
    (
        "crates/mt-pool/src/load.rs",
        "asked for ten seconds",
        "crates/mt-pool/src/load/cpu.rs",
        "REST_AFTER: Duration = Duration::from_secs(10);",
    ),
    (
        "crates/mt-pool/src/works/parallel/iterator_builder.rs",
        "take in 50 ms, up to 16,384",
        "crates/mt-pool/src/works/parallel/ahead.rs",
        "HORIZON: Duration = Duration::from_millis(50);",
    ),
    (
        "crates/mt-pool/src/wire/json.rs",
        "more than 127 containers",
        "crates/mt-pool/src/wire/json/strict.rs",
        "MAX_NESTING: u32 = 127;",
    ),
    (
        "crates/mt-ipc/src/output.rs",
        "or when there are 64 KiB of it",
        "crates/mt-ipc/src/output/lines.rs",
        "LINE_BYTES: usize = 64 * 1024;",
    ),
    (
        "crates/mt-pool/src/works/generator.rs",
        "Default 30 s. Anything counts",
        "crates/mt-pool/src/works/generator.rs",
        "TIMEOUT: Duration = Duration::from_secs(30);",
    ),
    (
        "crates/mt-pool/src/works/aio.rs",
        "`None` for all of them. Default 1024.",
        "crates/mt-pool/src/works.rs",
        "MAX_CONCURRENCY: usize = 1024;",
    ),
    (
        "crates/mt-ipc/src/sender.rs",
        "control frames waiting. Default 64:",
        "crates/mt-ipc/src/sender.rs",
        "control_frames: 64,",
    ),
    (
        "crates/mt-ipc/src/sender.rs",
        "bulk frames waiting. Default 4096;",
        "crates/mt-ipc/src/sender.rs",
        "bulk_frames: 4096,",
    ),
];

/// Case D5: The numbers that the pages and the documentation tell of limits, times and sizes are those of the code.
#[test]
fn numbers_are_those_of_the_code() {
    for (page, said, file, code) in SAID_OF_THE_PROTOCOL.into_iter().chain(SAID_ELSEWHERE) {
        assert!(
            prose(page).contains(said),
            "{page} does not say {said:?} any more: change this row"
        );
        assert!(
            text(file).contains(code),
            "{file} has no {code:?}: {page} says {said:?}"
        );
    }
}

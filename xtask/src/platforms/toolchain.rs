//! Debian's second Rust, with the sources of the standard library, which is built for each target.

use std::{env, ffi::OsString, path::PathBuf, process::Command};

use crate::step;

pub(super) const CARGO: &str = "/usr/bin/cargo";
pub(super) const RUSTC: &str = "/usr/bin/rustc";
pub(super) const STD_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
pub(super) const MINGW: &str = "/usr/bin/x86_64-w64-mingw32-gcc";
pub(super) const WINE: &str = "/usr/lib/wine/wine64";
pub(super) const WINE_SERVER: &str = "/usr/lib/wine/wineserver64";

/// A system that is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Windows,
    MacOs,
}

impl Target {
    pub(super) fn triple(self) -> &'static str {
        match self {
            Self::Windows => "x86_64-pc-windows-gnu",
            Self::MacOs => "aarch64-apple-darwin",
        }
    }
}

/// Where everything of this lies.
pub(super) fn folder() -> PathBuf {
    step::target().join("platforms")
}

/// `cargo` with these words for a target, without what the cargo that runs us has set for its own toolchain.
pub(super) fn cargo(target: Target, words: &str) -> Command {
    let mut words = words.split(' ');
    // Gives way: tests run beside it.
    let mut command = Command::new("nice");
    command.args(["-n", "10", CARGO]).args(words.next());
    command.args(["-Zbuild-std=std,panic_unwind", "--profile", "platforms"]);
    command.args(["--target", target.triple()]).args(words);
    for name in OF_THE_OTHER {
        command.env_remove(name);
    }
    command
        .env("CARGO_TARGET_DIR", folder())
        .env("PATH", path())
        .env("RUSTC", RUSTC)
        // The flags that build the standard library are not stable.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", MINGW)
        .env("CARGO_TARGET_AARCH64_APPLE_DARWIN_RUSTFLAGS", "-D warnings")
        // A check links nothing: what is C in dependencies need not be compiled, and there is no compiler for it.
        .env("CC_aarch64_apple_darwin", "true")
        .env("AR_aarch64_apple_darwin", "true");
    command.current_dir(step::root());
    command
}

/// What cargo, and rustup before it, tell the programs that they run.
pub(super) const OF_THE_OTHER: [&str; 9] = [
    "CARGO",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MANIFEST_DIR",
    "LD_LIBRARY_PATH",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "RUST_BACKTRACE",
];

/// Programs of the system come first.
fn path() -> OsString {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let first = ["/usr/bin", "/usr/lib/wine"].map(PathBuf::from);
    let all = first.into_iter().chain(env::split_paths(&inherited));
    // None has the separator within.
    env::join_paths(all).unwrap_or(inherited)
}

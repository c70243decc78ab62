//! What has to be installed, by the names of Debian's packages. Nothing is installed here.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};

use super::toolchain::{CARGO, MINGW, RUSTC, STD_SOURCE, WINE};

/// The oldest compiler that takes this workspace.
const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// A file, the package that brings it, and whether Windows alone needs it.
const NEEDS: [(&str, &str, bool); 5] = [
    (CARGO, "cargo-web", false),
    (RUSTC, "rustc-web", false),
    (STD_SOURCE, "rust-web-src", false),
    (MINGW, "gcc-mingw-w64-x86-64-win32", true),
    (WINE, "wine64", true),
];

/// The packages that are missing.
pub(super) fn missing(for_windows: bool) -> Vec<&'static str> {
    let there = |path: &str| match path {
        RUSTC => version_of_rustc().is_some_and(|found| is_new_enough(&found, RUST)),
        _ => Path::new(path).exists(),
    };
    missing_of(for_windows, there)
}

/// An error that says how to get what is missing.
pub(super) fn check(for_windows: bool) -> Result<()> {
    let missing = missing(for_windows);
    if missing.is_empty() {
        return Ok(());
    }
    let (names, line) = (missing.join(", "), missing.join(" "));
    let rustc = match version_of_rustc() {
        Some(found) if !is_new_enough(&found, RUST) => {
            format!(" ({RUSTC} is {found}, and {RUST} is needed)")
        }
        _ => String::new(),
    };
    bail!(
        "not installed: {names}{rustc}. On Debian, as root: \
         apt-get install --yes --no-install-recommends {line}"
    )
}

fn missing_of(for_windows: bool, is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let needed = NEEDS
        .iter()
        .filter(|(_, _, of_windows)| for_windows || !of_windows);
    let missing = needed.filter(|(path, _, _)| !is_there(path));
    missing.map(|(_, package, _)| *package).collect()
}

/// `1.96.0`, say.
fn version_of_rustc() -> Option<String> {
    let output = Command::new(RUSTC).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(1).map(str::to_owned)
}

fn is_new_enough(found: &str, needed: &str) -> bool {
    let numbers = |version: &str| -> Vec<u32> {
        let parts = version.split(['.', '-']).take(2);
        parts.filter_map(|part| part.parse().ok()).collect()
    };
    numbers(found) >= numbers(needed)
}

#[cfg(test)]
mod tests {
    use super::{WINE, is_new_enough, missing_of};

    #[test]
    fn what_is_missing_is_told_by_packages() {
        assert!(missing_of(true, |_| true).is_empty());
        assert_eq!(missing_of(true, |path| path != WINE), ["wine64"]);
        assert!(missing_of(false, |path| path != WINE).is_empty());
        assert_eq!(missing_of(true, |_| false).len(), 5);
        let libraries_of_rust = ["cargo-web", "rustc-web", "rust-web-src"];
        assert_eq!(missing_of(false, |_| false), libraries_of_rust);
    }

    #[test]
    fn versions_are_compared_by_numbers() {
        for (found, is_enough) in [
            ("1.63.0", false),
            ("1.95.0", true),
            ("1.96.0-nightly", true),
            ("1.100.0", true),
            ("2.0.0", true),
            ("?", false),
        ] {
            assert_eq!(is_new_enough(found, "1.95"), is_enough, "{found}");
        }
    }
}

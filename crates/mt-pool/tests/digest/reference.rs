//! The same figures from the system's own tools, where it has them.

use std::{
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Command, Output},
};

use crate::tree::Tree;

/// Path and sum of every file; `None` without `sha256sum`.
pub(crate) fn sums_of_sha256sum(tree: &Tree) -> Option<Vec<(String, String)>> {
    let mut command = Command::new("sha256sum");
    command.current_dir(tree.path()).arg("--zero").arg("--");
    command.args(tree.files.iter().map(|file| &file.path));
    let output = output_of(&mut command)?;
    let lines = output.stdout.split(|&byte| byte == 0);
    let lines = lines.filter(|line| !line.is_empty());
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    // 64 digits, two signs, the path.
    Some(
        lines
            .map(|line| (text(&line[66..]), text(&line[..64])))
            .collect(),
    )
}

/// Lines, words and bytes of a file; `None` without `wc`.
pub(crate) fn words_of_wc(file: &Path) -> Option<[u64; 3]> {
    let mut command = Command::new("wc");
    command.env("LC_ALL", "C").args(["-l", "-w", "-c", "--"]);
    let output = output_of(command.arg(file))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers = text.split_whitespace();
    let mut numbers = numbers.map(|number| number.parse().unwrap());
    Some(std::array::from_fn(|_| numbers.next().unwrap()))
}

/// `None` when there is no such program, or it knows no such option.
fn output_of(command: &mut Command) -> Option<Output> {
    let output = command.output().ok()?;
    let is_usable = output.status.success();
    if !is_usable {
        let name = command.get_program().as_bytes();
        eprintln!("not compared with {}", String::from_utf8_lossy(name));
    }
    is_usable.then_some(output)
}

//! The inputs that are kept in the repository: a line each, in hexadecimal.

use std::{collections::HashSet, fmt::Write, fs, path::Path};

use super::Trail;

/// The inputs in a file; there need not be one.
pub(super) fn read(path: &Path) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(bytes_of).collect()
}

fn bytes_of(line: &str) -> Vec<u8> {
    let pairs = line.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Writes the shortest of these inputs that together show all that they show.
pub(super) fn write(path: &Path, inputs: &[Vec<u8>], target: &dyn Fn(&[u8], &mut Trail) -> bool) {
    let mut inputs: Vec<&Vec<u8>> = inputs.iter().collect();
    inputs.sort_by_key(|input| (input.len(), *input));
    let (mut seen, mut text, mut trail) = (HashSet::<u64>::new(), String::new(), Trail::default());
    for input in inputs {
        trail.clear();
        target(input, &mut trail);
        let before = seen.len();
        seen.extend(trail.notes());
        if seen.len() > before {
            input
                .iter()
                .for_each(|byte| write!(text, "{byte:02x}").unwrap());
            text.push('\n');
        }
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

//! What is done with an input that a target fails on: it is made shorter, kept in a file, and named.

use std::{env, fs, panic, process};

/// Fails the test, having made the input as short as it fails on. `passes` plays an input.
pub(super) fn report(name: &str, input: Vec<u8>, seed: u64, passes: &dyn Fn(&[u8]) -> bool) -> ! {
    // What is tried from here on fails hundreds of times in the same way.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let short = shorten(input, passes);
    panic::set_hook(hook);
    let (file, length) = (keep(name, &short), short.len());
    panic!(
        "{name} fails (seed {seed}) on {length} bytes: MT_FUZZ_INPUT={file} and this test play them"
    );
}

/// Ends the process: an input does not come to its end.
pub(super) fn hangs(name: &str, input: &[u8]) -> ! {
    let (file, length) = (keep(name, input), input.len());
    eprintln!("{name} hangs on {length} bytes: MT_FUZZ_INPUT={file} and this test play them");
    process::abort();
}

/// Takes pieces away as long as the rest still fails.
fn shorten(mut input: Vec<u8>, passes: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut piece = input.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..(at + piece).min(input.len()));
            match passes(&shorter) {
                true => at += piece,
                false => input = shorter,
            }
        }
        piece /= 2;
    }
    input
}

/// Beside the programs that cargo builds, where nobody looks for sources.
fn keep(name: &str, input: &[u8]) -> String {
    let program = env::current_exe().unwrap();
    let file = program.with_file_name(format!("fuzz-{name}.bin"));
    fs::write(&file, input).unwrap();
    file.display().to_string()
}

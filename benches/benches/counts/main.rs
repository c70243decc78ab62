//! What an item costs beside instructions: system calls, wake-ups, allocations. For `cargo xtask bench gate`.
//!
//! A figure is the difference between a long run and a short one, each in a process of its own, so that starting and
//! ending is in none. Prints a line of JSON for each.

#[cfg(target_os = "linux")]
mod platform;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod system_calls;

#[cfg(target_os = "linux")]
#[mt_pool::main]
fn main() -> anyhow::Result<()> {
    run::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("what looks at processes as Linux has them needs Linux");
}

//! A closure says what it returns.

fn main() {
    let _ = mt_pool::inline_task!(|x: u32| x + 1);
    let _ = mt_pool::inline_task!(async |x: u32| x + 1);
}

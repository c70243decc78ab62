//! A reference is shared or a context, and says which.

#[mt_pool::task]
fn count(text: &str, pattern: String) -> usize {
    text.matches(&pattern).count()
}

fn main() {}

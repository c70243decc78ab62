//! A task has one type.

#[mt_pool::task]
fn first<T>(mut items: Vec<T>) -> T {
    items.remove(0)
}

#[mt_pool::task]
fn show(item: impl std::fmt::Display) -> String {
    item.to_string()
}

fn main() {}

//! What is shared within a process, what is code and what is borrowed: one error each, at its type.

use std::rc::Rc;

#[mt_pool::task]
fn count(texts: Vec<Rc<str>>) -> usize {
    texts.len()
}

#[mt_pool::task]
fn call(function: fn(u32) -> u32) -> u32 {
    function(1)
}

#[mt_pool::task]
fn call_boxed(function: Box<dyn Fn(u32) -> u32 + Send>) -> u32 {
    function(1)
}

#[mt_pool::task]
fn length(text: std::borrow::Cow<'static, str>, borrowed: &str) -> usize {
    text.len() + borrowed.len()
}

fn main() {}

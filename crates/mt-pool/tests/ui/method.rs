//! A method has a `self` that no worker has.

struct Scale {
    factor: u32,
}

impl Scale {
    #[mt_pool::task]
    fn apply(&self, x: u32) -> u32 {
        self.factor * x
    }
}

fn main() {
    let _ = Scale { factor: 2 }.apply(1);
}

//! What is run over the inputs must be a task.

struct NotATask;

fn main() {
    let _ = mt_pool::asyn_pmap::<NotATask>([1, 2, 3]);
}

//! A run can't leave its scope, and can't outlive what its input borrows; what is no item can't stand for one.

#[mt_pool::task]
fn length(text: String) -> usize {
    text.len()
}

fn returned(texts: &[String]) {
    let _run = mt_pool::scope(|s| s.asyn_pmap::<length>(texts).start());
}

fn kept(texts: &[String]) {
    let mut kept = None;
    mt_pool::scope(|s| kept = s.asyn_pmap::<length>(texts).start().ok());
}

fn moved_to_a_thread(texts: &[String]) {
    mt_pool::scope(|s| {
        let run = s.asyn_pmap::<length>(texts).start().unwrap();
        std::thread::spawn(move || run.into_iter().count());
    });
}

fn of_the_scope_itself() {
    mt_pool::scope(|s| {
        let texts = vec![String::from("one")];
        s.asyn_pmap::<length>(&texts).start().unwrap().into_iter().count()
    });
}

fn without_a_scope(texts: &[String]) {
    let _run = mt_pool::asyn_pmap::<length>(texts.iter().cloned()).start();
}

fn of_another_type(numbers: &[u32]) {
    mt_pool::scope(|s| s.asyn_pmap::<length>(numbers).start().unwrap().into_iter().count());
}

fn main() {}

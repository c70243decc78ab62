//! A program that forgot to call `init`: this one. It has no `test_worker!`.

use mt_pool::{StartError, asyn_pmap, task};

#[task]
fn double(n: u64) -> u64 {
    2 * n
}

#[test]
fn it_is_told_so_before_any_process_is_started() {
    match asyn_pmap::<double>([1, 2]).start() {
        Err(error @ StartError::NotInitialised) => {
            assert!(error.to_string().contains("mt_pool::init()"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

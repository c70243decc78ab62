//! Large values that workers map instead of being sent them.

use std::{fs, process};

use mt_pool::Blob;
use mt_test_kit::descriptors;
use serde::{Deserialize, Serialize};

use crate::prelude::*;

const COLUMN_BYTES: usize = 32 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    folder: Folder,
    columns: Vec<Blob>,
}

impl Table {
    /// Two columns, whose bytes tell which and where they are.
    fn of(folder: &Folder, salt: u8) -> Self {
        let column = |number: u8| {
            let fill = |bytes: &mut [u8]| {
                for (at, byte) in bytes.iter_mut().enumerate().step_by(4096) {
                    *byte = (at / 4096) as u8 ^ number ^ salt;
                }
                Ok(())
            };
            Blob::filled(COLUMN_BYTES, fill).unwrap()
        };
        Self {
            folder: folder.clone(),
            columns: vec![column(1), column(2)],
        }
    }

    fn bytes(&self, n: u64) -> Vec<u8> {
        let at = n as usize * 4096;
        self.columns.iter().map(|column| column[at]).collect()
    }
}

/// The process, a byte of each column, and the memory of its own that it has.
type Looked = (u32, Vec<u8>, u64);

/// Item 7 dies at its first try.
#[task]
fn looks(#[shared] table: &Table, n: u64) -> Looked {
    if n == 7 && table.folder.first("died") {
        process::abort();
    }
    assert!(table.columns.iter().all(Blob::is_mapped));
    let sum = |column: &Blob| {
        column
            .iter()
            .step_by(4096)
            .map(|&byte| u64::from(byte))
            .sum()
    };
    let sums: Vec<u64> = table.columns.iter().map(sum).collect();
    assert_eq!(sums[0], sums[1], "each byte as often");
    (process::id(), table.bytes(n), own_bytes())
}

fn own_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() * 1024
}

/// Also by those that replace a dead one, and by those that do another run.
#[cfg(target_os = "linux")]
#[test_with(alone)]
fn a_large_shared_value_is_mapped_by_all_workers() {
    let pool = Pool::builder().processes(2).start().unwrap();
    for salt in [16, 32] {
        let folder = Folder::temp();
        let table = Table::of(&folder, salt);
        let expected: Vec<_> = (0..100).map(|n| table.bytes(n)).collect();
        let run = asyn_pmap::<looks>(0..100).processes(2).shared(table);
        let looked = values(run.pool(&pool));
        let pids: BTreeSet<u32> = looked.iter().map(|(pid, ..)| *pid).collect();
        assert!(pids.len() > 1, "some died");
        assert!(looked.iter().map(|(_, bytes, _)| bytes).eq(&expected));
        let most = looked.iter().map(|(.., own)| *own).max();
        assert!(most.unwrap() < COLUMN_BYTES as u64, "{most:?}");
    }
    drop(pool);
    let is_blob =
        |(_, path): &(i32, std::path::PathBuf)| path.to_string_lossy().contains("mt-blob");
    wait_until(|| !descriptors().iter().any(is_blob));
}

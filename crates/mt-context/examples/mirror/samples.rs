//! Objects to mirror where nobody has any: files below a bucket's folder, the same for every run.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// The bucket of the samples.
pub(crate) const BUCKET: &str = "samples";
/// How many bytes are made at once.
const PIECE: usize = 64 * 1024;

/// Makes so many files, if there is no such folder; the first has so many MiB, the others up to 64 KiB.
pub(crate) fn make(root: &Path, objects: u64, largest_mib: u64) -> io::Result<()> {
    let bucket = root.join(BUCKET);
    if bucket.exists() {
        return Ok(());
    }
    fs::create_dir_all(&bucket)?;
    for n in 0..objects {
        let folder = bucket.join(format!("{:03} é", n % 100));
        fs::create_dir_all(&folder)?;
        let bytes = match n {
            0 => largest_mib << 20,
            _ => n * 7919 % (64 << 10),
        };
        write(&folder.join(format!("object {n}+%.bin")), n, bytes)?;
    }
    Ok(())
}

/// A file of so many bytes, which depend on the number.
fn write(path: &Path, n: u64, bytes: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut piece = vec![0; PIECE];
    let mut left = bytes;
    while left > 0 {
        for eight in piece.chunks_exact_mut(8) {
            // Xorshift: no two samples are alike.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            eight.copy_from_slice(&state.to_le_bytes());
        }
        let length = left.min(PIECE as u64);
        file.write_all(&piece[..length as usize])?;
        left -= length;
    }
    Ok(())
}

//! What program a process runs: how this one is started again, and whether another can be a worker at all.
#![cfg_attr(
    target_os = "linux",
    expect(
        unsafe_code,
        reason = "a section of the program file that can be found"
    )
)]

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::SpawnError;

/// The program of this process as Linux knows it: the very file, also when it was replaced or deleted since.
const OWN: &str = "/proc/self/exe";

/// What tells a file from another.
type FileId = (u64, u64);

/// How this program starts itself again.
pub(crate) fn own_program() -> Result<PathBuf, SpawnError> {
    static FIRST: OnceLock<Option<(PathBuf, Option<FileId>)>> = OnceLock::new();
    let found = FIRST.get_or_init(|| {
        let program = match cfg!(target_os = "linux") {
            true => loaded_by_another()?,
            false => env::current_exe().ok()?,
        };
        let id = file_identity(&program);
        Some((program, id))
    });
    let Some((program, then)) = found else {
        // No file is behind it that could be looked at once the program was deleted.
        if fs::symlink_metadata(OWN).is_err() {
            return Err(SpawnError::Program {
                program: OWN.to_owned(),
                source: io::Error::new(
                    io::ErrorKind::NotFound,
                    "`/proc` is not mounted here, and without it a program does not find itself (mount it, or name the program as an option of the workers)",
                ),
            });
        }
        return Ok(PathBuf::from(OWN));
    };
    if then.is_some() && file_identity(program) == *then {
        return Ok(program.clone());
    }
    Err(SpawnError::Replaced {
        program: program.display().to_string(),
    })
}

/// The file of this program by a name that means the same in every process, as [`own_program`] may not: in a wrapper that is
/// the wrapper's own.
pub(crate) fn own_file() -> Result<PathBuf, SpawnError> {
    let program = own_program()?;
    if program != Path::new(OWN) {
        return Ok(program);
    }
    match fs::read_link(OWN) {
        Ok(file) if file_identity(&file) == file_identity(OWN.as_ref()) => Ok(file),
        file => Err(SpawnError::Replaced {
            program: file.unwrap_or(program).display().to_string(),
        }),
    }
}

/// What tells a file or folder from another that stands in the same place later.
pub(crate) fn file_identity(path: &Path) -> Option<FileId> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// The program's file, if the system believes that this process runs another one: the dynamic loader, when that was
/// called with the program as its argument, or a simulator such as valgrind.
fn loaded_by_another() -> Option<PathBuf> {
    let code = loaded_by_another as fn() -> Option<PathBuf> as usize as u64;
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let file = maps.lines().find_map(|line| mapped_at(line, code))?;
    let known = fs::read_link(OWN).ok()?;
    if file == known
        && (file.to_str()?.ends_with(DELETED)
            || file_identity(&file) == file_identity(OWN.as_ref()))
    {
        return None;
    }
    // A library of ours in a program of another language is no program.
    let is_program = segments(&file)?
        .iter()
        .any(|segment| segment.kind == INTERPRETER);
    is_program.then_some(file)
}

/// What the kernel appends to the name of a file that is no longer there.
const DELETED: &str = " (deleted)";

/// The file of a line of `/proc/<pid>/maps` if that address is in it: `from-to access offset device inode file`.
fn mapped_at(line: &str, address: u64) -> Option<PathBuf> {
    let (from, rest) = line.split_once('-')?;
    let (to, rest) = rest.split_once(' ')?;
    let number = |hex| u64::from_str_radix(hex, 16).ok();
    let range = number(from)?..number(to)?;
    let at = rest.find('/')?;
    range.contains(&address).then(|| PathBuf::from(&rest[at..]))
}

/// What a process runs, for people.
#[must_use]
pub fn program_of(pid: u32) -> String {
    let program = fs::read_link(format!("/proc/{pid}/exe"));
    program.map_or_else(
        |_| "another program".to_owned(),
        |path| path.display().to_string(),
    )
}

/// Whether a process can become a worker, as far as that can be seen: false if neither its program nor a library that it
/// has loaded contains this one, and it has started no other that might.
#[must_use]
pub fn may_be_worker(pid: u32) -> bool {
    let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else {
        return true;
    };
    let mut files: Vec<&str> = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]))
        .collect();
    files.dedup();
    // Nothing of it can be seen, or nothing that can be read.
    let unseen = |file: &&str| file.ends_with(DELETED) || has_mark(file.as_ref()).unwrap_or(false);
    files.is_empty() || files.iter().any(unseen) || !super::descendants(pid).is_empty()
}

const INTERPRETER: u32 = 3;
const NOTE: u32 = 4;

/// The name of the note that programs with this library carry.
const MARK: [u8; 16] = *b"mt-ipc worker 1\0";

/// A note of a program file, as the linker gathers them.
#[cfg(target_os = "linux")]
#[repr(C)]
struct Note {
    name_bytes: u32,
    more_bytes: u32,
    kind: u32,
    name: [u8; MARK.len()],
}

// SAFETY: the section is only read, and all that is in it has the form that notes have.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".note.mt_ipc")]
static WORKER_NOTE: Note = Note {
    name_bytes: MARK.len() as u32,
    more_bytes: 0,
    kind: 1,
    name: MARK,
};

/// Keeps the note in every program that can be a worker.
pub(super) fn keep_mark() {
    #[cfg(target_os = "linux")]
    std::hint::black_box(&WORKER_NOTE);
}

/// `None` if the file is none that a program is loaded from.
fn has_mark(file: &Path) -> Option<bool> {
    let notes = segments(file)?
        .into_iter()
        .filter(|segment| segment.kind == NOTE);
    let mut texts = notes.filter_map(|note| read_at(file, note.offset, note.bytes.min(MAX_NOTE)));
    Some(texts.any(|text| text.windows(MARK.len()).any(|part| part == MARK)))
}

/// The most bytes of a note that are looked at. Notes have some dozens.
const MAX_NOTE: u64 = 64 * 1024;
const HEADER_BYTES: u64 = 64;
const ENTRY_BYTES: usize = 56;

struct FileSegment {
    kind: u32,
    offset: u64,
    bytes: u64,
}

/// The table of segments of a program file: ELF, 64 bits, little-endian. `None` for everything else.
fn segments(file: &Path) -> Option<Vec<FileSegment>> {
    let header = read_at(file, 0, HEADER_BYTES)?;
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let short = |at: usize| Some(u16::from_le_bytes(header.get(at..at + 2)?.try_into().ok()?));
    let (table, entry, count) = (long(&header, 32)?, short(54)?, short(56)?);
    if usize::from(entry) != ENTRY_BYTES {
        return None;
    }
    let table = read_at(file, table, u64::from(count) * ENTRY_BYTES as u64)?;
    let parse = |entry: &[u8]| {
        Some(FileSegment {
            kind: u32::from_le_bytes(entry.get(..4)?.try_into().ok()?),
            offset: long(entry, 8)?,
            bytes: long(entry, 32)?,
        })
    };
    table.chunks_exact(ENTRY_BYTES).map(parse).collect()
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn read_at(file: &Path, offset: u64, bytes: u64) -> Option<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut read = vec![0; usize::try_from(bytes).ok()?];
    fs::File::open(file)
        .ok()?
        .read_exact_at(&mut read, offset)
        .ok()?;
    Some(read)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_program_may_be_a_worker_and_knows_its_file() {
        assert!(may_be_worker(std::process::id()));
        assert_eq!(
            has_mark(&env::current_exe().expect("there is one")),
            Some(true)
        );
        assert_eq!(loaded_by_another(), None);
        assert_eq!(own_program().ok(), Some(PathBuf::from(OWN)));
    }

    #[test]
    fn what_is_no_program_has_no_mark() {
        let shell = fs::canonicalize("/bin/sh").expect("there is one");
        assert_eq!(has_mark(&shell), Some(false));
        assert_eq!(has_mark("/proc/self/status".as_ref()), None);
        assert_eq!(has_mark("/nowhere".as_ref()), None);
    }

    #[test]
    fn the_file_of_an_address_is_the_one_it_is_mapped_from() {
        let line = "55d0-55e0 r-xp 00001000 08:01 123   /a b/c (deleted)";
        assert_eq!(mapped_at(line, 0x55d8), Some("/a b/c (deleted)".into()));
        assert_eq!(mapped_at(line, 0x55e0), None);
        assert_eq!(mapped_at("55d0-55e0 rw-p 0 00:00 0 [heap]", 0x55d8), None);
    }
}

//! What a blob promises while it stays in its process, and what is refused of those that come.

use std::io::{self, Read, Write};
#[cfg(target_os = "linux")]
use std::{os::fd::OwnedFd, sync::Arc};

#[cfg(target_os = "linux")]
use mt_proto::Attachment;
use mt_proto::{Attachments, decode_attached, encode_attaching, encode_checked};
#[cfg(target_os = "linux")]
use mt_test_kit::{alone, assert_is, descriptors};
use serde::{Deserialize, Serialize};

use super::{Blob, BlobWriter};
#[cfg(target_os = "linux")]
use crate::attached::SealedFile;

const LARGE: usize = 3 * Blob::FILE_BYTES + 17;

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 251) as u8 ^ at as u8).collect()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Picture {
    name: String,
    layers: Vec<Blob>,
    icon: Option<Blob>,
}

fn attaching<T: Serialize>(value: &T) -> (Vec<u8>, Attachments) {
    let mut attachments = Attachments::NONE;
    let encoded = encode_attaching(value, usize::MAX, &mut attachments);
    (encoded.unwrap(), attachments)
}

fn picture() -> Picture {
    let blob = |len| Blob::copy_of(&bytes(len)).unwrap();
    let large = blob(LARGE);
    Picture {
        name: "it".into(),
        layers: vec![large.clone(), blob(5), blob(LARGE + 1), large, blob(0)],
        icon: Some(blob(Blob::FILE_BYTES)),
    }
}

#[test]
fn bytes_are_the_same_however_they_are_made() {
    for len in [0, 1, Blob::FILE_BYTES - 1, Blob::FILE_BYTES, LARGE] {
        let expected = bytes(len);
        let mut pieces = BlobWriter::new();
        let mut sizes = [1, 7, 4096, Blob::FILE_BYTES, 3].into_iter().cycle();
        let mut left = &expected[..];
        while !left.is_empty() {
            let size = sizes.next().unwrap().min(left.len());
            pieces.write_all(left.split_off(..size).unwrap()).unwrap();
        }
        let made = [
            Blob::copy_of(&expected).unwrap(),
            Blob::filled(len, |memory| {
                assert!(memory.iter().all(|&byte| byte == 0));
                (&expected[..]).read_exact(memory)
            })
            .unwrap(),
            Blob::read_from(&expected[..]).unwrap(),
            pieces.finish().unwrap(),
        ];
        for blob in &made {
            assert_eq!(blob[..], expected);
            assert_eq!(blob.as_ptr().addr() % 4096, 0);
            assert_eq!(
                blob.is_mapped(),
                cfg!(target_os = "linux") && len >= Blob::FILE_BYTES
            );
            assert_eq!(blob.clone().as_ptr(), blob.as_ptr(), "the same memory");
            assert_eq!(*blob, made[0]);
        }
    }
    let failed = Blob::filled(LARGE, |_| Err(io::ErrorKind::Unsupported.into()));
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::Unsupported);
    let shown = format!("{:?}", Blob::copy_of(&[1, 255]).unwrap());
    assert_eq!(shown, "Blob(2 bytes: 01ff)");
}

#[test]
fn blobs_anywhere_in_a_value_cross_beside_its_bytes() {
    let sent = picture();
    let (encoded, attachments) = attaching(&sent);
    // The same one twice is attached once, and small ones are not.
    assert_eq!(attachments.as_slice().len(), 3);
    assert!(attachments.bytes() > 2 * LARGE as u64);
    let got: Picture = decode_attached(&encoded, &attachments).unwrap();
    assert_eq!(got, sent);
    assert_eq!(got.layers[0].is_mapped(), cfg!(target_os = "linux"));
    assert_ne!(
        got.layers[0].as_ptr(),
        sent.layers[0].as_ptr(),
        "mapped once more"
    );
    // Without them it is no value, nor is it one of another type.
    assert!(decode_attached::<Picture>(&encoded, &Attachments::NONE).is_err());
    let (blob, attachments) = attaching(&sent.layers[0]);
    assert!(decode_attached::<Vec<u8>>(&blob, &attachments).is_err());
}

#[test]
fn where_nothing_can_be_attached_the_bytes_cross() {
    let sent = picture();
    let encoded = encode_checked(&sent, usize::MAX).unwrap();
    assert!(encoded.len() > 3 * LARGE);
    let got: Picture = mt_proto::decode_checked(&encoded).unwrap();
    assert_eq!(got, sent);
    // More than may be attached to one value.
    let many: Vec<Blob> = (0..mt_proto::MAX_ATTACHMENTS + 2)
        .map(|_| Blob::copy_of(&bytes(Blob::FILE_BYTES)).unwrap())
        .collect();
    let (encoded, attachments) = attaching(&many);
    assert_eq!(attachments.as_slice().len(), mt_proto::MAX_ATTACHMENTS);
    assert!(encoded.len() > 2 * Blob::FILE_BYTES);
    assert!(decode_attached::<Vec<Blob>>(&encoded, &attachments).unwrap() == many);
}

/// What a worker gone mad could send in place of a blob's file.
#[cfg(target_os = "linux")]
#[test]
fn what_is_no_sealed_file_of_that_length_is_refused() {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

    let memfd = |len: usize, seals| -> OwnedFd {
        let flags = MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC;
        let file = memfd_create("test", flags).unwrap();
        ftruncate(&file, len as u64).unwrap();
        fcntl_add_seals(&file, seals).unwrap();
        file
    };
    let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    let (encoded, _) = attaching(&Blob::copy_of(&bytes(LARGE)).unwrap());
    let check = |file: OwnedFd| {
        let attachment = Attachment::new(SealedFile::new(file), 1);
        decode_attached::<Blob>(&encoded, &vec![attachment].into())
    };
    assert!(check(memfd(LARGE, all)).is_ok());
    let (reading, _writing) = io::pipe().unwrap();
    let (socket, _) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut on_disk = tempfile::tempfile().unwrap();
    on_disk.write_all(&bytes(LARGE)).unwrap();
    for (what, file) in [
        (
            "can shrink",
            memfd(LARGE, SealFlags::GROW | SealFlags::WRITE),
        ),
        (
            "can grow",
            memfd(LARGE, SealFlags::SHRINK | SealFlags::WRITE),
        ),
        (
            "can be written",
            memfd(LARGE, SealFlags::SHRINK | SealFlags::GROW),
        ),
        (
            "can be written by some",
            memfd(
                LARGE,
                SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE,
            ),
        ),
        ("has no seals", memfd(LARGE, SealFlags::empty())),
        ("is shorter", memfd(LARGE - 1, all)),
        ("is longer", memfd(LARGE + 1, all)),
        ("is empty", memfd(0, all)),
        ("is on a disk", on_disk.into()),
        ("is a pipe", reading.into()),
        ("is a socket", socket.into()),
        (
            "is a device",
            std::fs::File::open("/dev/zero").unwrap().into(),
        ),
        ("is a folder", std::fs::File::open("/").unwrap().into()),
    ] {
        println!("{what}");
        assert_is!(check(file), Err(mt_proto::DecodeError::Value(_)));
    }
    let other = Attachment::new(Arc::new(7), LARGE as u64);
    assert!(decode_attached::<Blob>(&encoded, &vec![other].into()).is_err());
}

/// A process that has many blobs has some of their descriptors only, and can send all of them.
#[cfg(target_os = "linux")]
#[test]
fn many_blobs_take_few_descriptors() {
    alone("blob::tests::many_blobs_take_few_descriptors", || {
        let before = descriptors().len();
        let blob = |n: u32| {
            Blob::filled(Blob::FILE_BYTES, |b| {
                (&n.to_le_bytes()[..]).read_exact(&mut b[..4])
            })
        };
        let many: Vec<Blob> = (0..600).map(|n| blob(n).unwrap()).collect();
        assert!(descriptors().len() <= before + 256);
        for (n, blob) in many.iter().enumerate() {
            let (encoded, attachments) = attaching(blob);
            let got: Blob = decode_attached(&encoded, &attachments).unwrap();
            assert_eq!(got[..4], (n as u32).to_le_bytes());
        }
        drop(many);
        assert_eq!(descriptors().len(), before);
    });
}

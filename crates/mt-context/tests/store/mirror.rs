//! The example `mirror`, run as its users run it.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use mt_test_kit::{Folder, Running, example, watchdog};
use serde_json::Value;
use sha2::{Digest, Sha256};

const OBJECTS: &str = "60";

/// What a run prints of each object: its outcome and its digest.
fn run(samples: &Path, into: &Path, words: &[&str]) -> BTreeMap<String, (String, String)> {
    let mut command: Command = example("mirror");
    command.arg(into).arg("--samples").arg(samples).args(words);
    command.args(["--json", "--objects", OBJECTS, "--largest", "12"]);
    let output = Running::start(&mut command).output();
    let table = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{table}");
    assert!(table.contains("mirrored"), "{table}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    lines
        .map(|line| {
            (
                text(&line, "url"),
                (text(&line, "outcome"), text(&line, "sha256")),
            )
        })
        .collect()
}

/// The digest of each file on disk, by the address of its object.
fn digests(bucket: &Path) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    for folder in fs::read_dir(bucket).unwrap() {
        let folder = folder.unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            let [folder, name] =
                [folder.file_name(), file.file_name()].map(|it| it.into_string().unwrap());
            let digest = Sha256::digest(fs::read(file.path()).unwrap());
            let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            digests.insert(format!("s3://samples/{folder}/{name}"), digest);
        }
    }
    digests
}

/// Case C77: The example's digests and files are those on disk, with and without workers that are killed; a second run mirrors
/// what is missing or changed, and nothing else.
#[test]
fn the_mirror_is_like_what_it_mirrors() {
    let _watchdog = watchdog("mirror");
    let (samples, plain, chaos) = (Folder::temp(), Folder::temp(), Folder::temp());
    let samples = samples.file("root");
    let bucket = samples.join("samples");
    let check = |into: &Path, words: &[&str], anew: &[&str]| {
        let printed = run(&samples, into, words);
        let wanted = digests(&bucket);
        assert_eq!(printed.len(), wanted.len());
        for (url, (outcome, digest)) in printed {
            assert_eq!(digest, wanted[&url], "{url}");
            let is_anew = anew.is_empty() || anew.iter().any(|name| url.ends_with(name));
            assert_eq!(outcome == "mirrored", is_anew, "{url}");
            let file = into.join(url.trim_start_matches("s3://samples/"));
            let original = bucket.join(url.trim_start_matches("s3://samples/"));
            assert!(
                fs::read(file).unwrap() == fs::read(original).unwrap(),
                "{url}"
            );
        }
    };
    check(plain.path(), &[], &[]);
    check(chaos.path(), &["--chaos"], &[]);
    fs::remove_file(plain.file("005 é/object 5+%.bin")).unwrap();
    fs::write(bucket.join("007 é/object 7+%.bin"), "changed").unwrap();
    check(plain.path(), &[], &["object 5+%.bin", "object 7+%.bin"]);
}

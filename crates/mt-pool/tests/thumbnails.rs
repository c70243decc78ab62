//! The example `thumbnails`, run as its users run it: what is good has a thumbnail, what is not is told
//! of, and nothing half-done is left.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};

use image::{GenericImageView, RgbImage};
use mt_test_kit::example;
use serde_json::Value;

fn thumbnails(out: &Path) -> Command {
    let mut command = example("thumbnails");
    command.args(["--json", "--out"]).arg(out);
    command
}

/// What was said of each image, by its name.
fn told(output: &Output) -> BTreeMap<String, Value> {
    let text = str::from_utf8(&output.stdout).unwrap();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let image = Path::new(line["image"].as_str().unwrap());
        let name = image.file_name().unwrap().to_str().unwrap();
        (name.to_owned(), line)
    });
    lines.collect()
}

/// The names of the thumbnails, each of which is whole.
fn made(out: &Path) -> Vec<String> {
    let entries = fs::read_dir(out).unwrap();
    let names = entries.map(|entry| {
        let entry = entry.unwrap();
        let (width, height) = image::open(entry.path()).unwrap().dimensions();
        assert_eq!(width.max(height), 128);
        entry.file_name().into_string().unwrap()
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Case R14: `thumbnails` makes all images but the corrupt one, which is an error, and the huge one, which is given
/// up for its memory.
#[test]
fn of_its_own_samples_all_but_the_corrupt_and_the_huge_one_are_made() {
    let out = tempfile::tempdir().unwrap();
    let output = thumbnails(out.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = told(&output);
    assert_eq!(told.len(), 26);
    for (name, line) in &told {
        let error = line["error"].as_str();
        match name.as_str() {
            "zz-corrupt.png" => assert!(!error.unwrap().contains("memory")),
            "zz-huge.png" => assert!(error.unwrap().contains("too much memory")),
            _ => assert_eq!(error, None),
        }
    }
    assert_eq!(made(out.path()).len(), 24);
}

#[test]
fn a_folder_with_what_is_no_image_and_two_of_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let picture = RgbImage::from_pixel(300, 200, image::Rgb([7, 8, 9]));
    for name in ["same.png", "same.jpg"] {
        picture.save(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("text.png"), "no image").unwrap();
    fs::create_dir(folder.path().join("below")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let output = thumbnails(out.path()).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "one is not made");
    let told = told(&output);
    assert_eq!(told.len(), 3);
    assert!(told["text.png"]["error"].is_string());
    assert_eq!(told["same.jpg"]["width"], 300);
    assert_eq!(made(out.path()), ["same.jpg.png", "same.png.png"]);
}

#[test]
fn a_folder_that_is_not_there() {
    let out = tempfile::tempdir().unwrap();
    let output = thumbnails(out.path())
        .arg("/nowhere/at/all")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = str::from_utf8(&output.stderr).unwrap();
    assert!(said.contains("/nowhere/at/all"), "{said}");
}

//! Builds the renderer with the C compiler that Rust links with anyway.

fn main() {
    println!("cargo::rerun-if-changed=src/c/renderer.c");
    cc::Build::new()
        .file("src/c/renderer.c")
        .warnings(true)
        .compile("renderer");
}

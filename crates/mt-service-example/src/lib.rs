//! A renderer of documents that is written in C and not to be trusted: what the example `service` serves.
//!
//! Most documents it renders. One that closes a section that is not open (`}`) is a segmentation fault, one that ends with
//! a `\` is rendered for ever, and every heading (`#`) leaks 1 MiB.

#[path = "platform/renderer.rs"]
mod renderer;

pub use renderer::{Malformed, render};

#[cfg(test)]
mod tests {
    use super::{Malformed, render};

    #[test]
    fn what_it_renders_is_html() {
        let html = render("{a < b}\n#One & two\n\\{\u{fc}").unwrap();
        assert_eq!(
            html,
            "<section>a &lt; b</section>\n<h1>One &amp; two</h1>\n{\u{fc}"
        );
        assert_eq!(render("").unwrap(), "");
        assert!(matches!(render("{{}"), Err(Malformed::NotClosed)));
        assert!(matches!(render("a\0b"), Err(Malformed::Zero)));
    }
}

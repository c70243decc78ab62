//! Rust source as a flat list of tokens with lines, and the comments beside them.
//!
//! Rules look at tokens and not at text, so that a word in a string or a comment is never taken for
//! code, and code inside a macro call is still seen. This file does not know any rule.

use std::iter::once;
use std::ops::Range;
use std::str::FromStr;

use proc_macro2::{Group, LexError, Span, TokenStream, TokenTree};

/// One token; a delimiter is a token of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// As written; a literal keeps its quotes. `::` is one token.
    pub(super) text: String,
    pub(super) line: usize,
    /// A name or a keyword.
    pub(super) is_ident: bool,
    /// Inside an item under `#[cfg(test)]`, or in a file of tests.
    pub(super) in_test: bool,
    /// Where it ends: a text may go over several lines.
    last_line: usize,
    bytes: Range<usize>,
}

impl Token {
    /// Whether this is a string literal, of any kind.
    pub(super) fn is_text(&self) -> bool {
        let opening = self.text.trim_start_matches(['b', 'c', 'r', '#']);
        !self.is_ident && opening.starts_with('"')
    }
}

/// One line of a comment, of any kind, with its slashes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) line: usize,
    pub(super) text: String,
}

/// Splits `source` into tokens and comments; it fails if a bracket is not closed, for instance.
pub(super) fn lex(source: &str, in_test: bool) -> Result<(Vec<Token>, Vec<Comment>), LexError> {
    let mut lexer = Lexer {
        source,
        tokens: Vec::new(),
    };
    lexer.stream(TokenStream::from_str(source)?, in_test);
    let tokens = lexer.tokens;
    // Between two tokens there is nothing but white space and comments.
    let starts = tokens.iter().map(|token| token.bytes.start);
    let ends = tokens
        .iter()
        .map(|token| (token.bytes.end, token.last_line));
    let gaps = once((0, 1))
        .chain(ends)
        .zip(starts.chain(once(source.len())));
    let lines = gaps.flat_map(|((from, first), to)| {
        let texts = source[from..to].lines().map(str::trim);
        texts.zip(first..).map(|(text, line)| Comment {
            line,
            text: text.to_owned(),
        })
    });
    let comments = lines.filter(|line| !line.text.is_empty()).collect();
    Ok((tokens, comments))
}

struct Lexer<'a> {
    source: &'a str,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn stream(&mut self, stream: TokenStream, in_test: bool) {
        let mut test_item = false;
        let mut after_hash = false;
        for tree in stream {
            let text = &self.source[tree.span().byte_range()];
            // A doc comment comes as an attribute whose every token spans the whole comment. It is
            // left where it is: in the gap before the next token.
            if text.starts_with("//") || text.starts_with("/*") {
                continue;
            }
            // An item ends with its body or a semicolon.
            let ends_item = text == ";" || text.starts_with('{');
            let here = in_test || test_item;
            match &tree {
                TokenTree::Group(group) => {
                    test_item |= after_hash && is_cfg_test(group);
                    self.push(group.span_open(), false, here);
                    self.stream(group.stream(), here);
                    self.push(group.span_close(), false, here);
                }
                TokenTree::Ident(ident) => self.push(ident.span(), true, here),
                other => self.push(other.span(), false, here),
            }
            test_item &= !ends_item;
            after_hash = text == "#";
        }
    }

    /// Adds a token; the second `:` of a `::` is joined to the first.
    fn push(&mut self, span: Span, is_ident: bool, in_test: bool) {
        let bytes = span.byte_range();
        let text = self.source[bytes.clone()].to_owned();
        match self.tokens.last_mut() {
            Some(last) if text == ":" && last.text == ":" && last.bytes.end == bytes.start => {
                last.text.push(':');
                last.bytes.end = bytes.end;
            }
            _ => self.tokens.push(Token {
                text,
                line: span.start().line,
                last_line: span.end().line,
                is_ident,
                in_test,
                bytes,
            }),
        }
    }
}

/// Whether the brackets of an attribute hold `cfg(… test …)`, and not `cfg(not(test))`.
fn is_cfg_test(group: &Group) -> bool {
    let text = group.stream().to_string();
    let is_end = |c: char| !c.is_alphanumeric() && c != '_';
    let words: Vec<&str> = text.split(is_end).collect();
    words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not")
}

#[cfg(test)]
mod tests {
    use super::lex;

    #[test]
    fn comments_and_strings_are_not_code() {
        let source = "//! Top.\nfn f() { // why\n    g(\"h()\"); /* a\n b */ }\n\
                      /// Doc.\nconst A: u8 = b::C;\n";
        let (tokens, comments) = lex(source, false).expect("it is Rust");
        let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(
            texts.join(" "),
            "fn f ( ) { g ( \"h()\" ) ; } const A : u8 = b :: C ;"
        );
        let found = comments.iter().map(|c| format!("{} {}", c.line, c.text));
        let expected = ["1 //! Top.", "2 // why", "3 /* a", "4 b */", "5 /// Doc."];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_code_under_cfg_test_is_known() {
        let source = "fn a() {}\n#[cfg(test)]\nmod t { fn b() {} }\nfn c() {}\n\
                      #[cfg(not(test))]\nfn d() {}\n\
                      #[cfg(test)]\nuse e;\nfn f() {}";
        let (tokens, _) = lex(source, false).expect("it is Rust");
        let in_test = |name: &str| tokens.iter().find(|t| t.text == name).map(|t| t.in_test);
        for name in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(in_test(name), Some("be".contains(name)), "{name}");
        }
    }

    #[test]
    fn text_that_is_not_rust_is_refused() {
        assert!(lex("fn f( {", false).is_err());
    }
}

//! Rust source as a flat list of tokens with lines, and the comments beside them.
//!
//! Rules look at tokens and not at text, so that a word in a string or a comment is never taken for
//! code, and code inside a macro call is still seen. This file does not know any rule.

use std::ops::Range;
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, LexError, Span, TokenStream, TokenTree};

/// One token; a delimiter is a token of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// As written; a literal keeps its quotes. `::` is one token.
    pub(super) text: String,
    pub(super) line: usize,
    /// A name or a keyword.
    pub(super) is_ident: bool,
    /// Inside an item under `#[cfg(test)]`.
    pub(super) in_test: bool,
}

impl Token {
    /// Whether this is a string literal, of any kind.
    pub(super) fn is_text(&self) -> bool {
        let opening = self.text.trim_start_matches(['b', 'c', 'r', '#']);
        !self.is_ident && opening.starts_with('"') && self.text.len() > 1
    }
}

/// One line of a comment, of any kind, with its slashes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) line: usize,
    pub(super) text: String,
}

/// Splits `source` into tokens and comments.
///
/// # Errors
/// When `source` is not Rust, for instance because a bracket is not closed.
pub(super) fn lex(source: &str) -> Result<(Vec<Token>, Vec<Comment>), LexError> {
    let stream = TokenStream::from_str(source)?;
    let mut lexer = Lexer {
        source,
        tokens: Vec::new(),
        comments: Vec::new(),
        position: (0, 1),
    };
    lexer.stream(stream, false);
    lexer.gap(source.len());
    Ok((lexer.tokens, lexer.comments))
}

struct Lexer<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
    /// Where the last token ended: byte and line.
    position: (usize, usize),
}

impl Lexer<'_> {
    fn stream(&mut self, stream: TokenStream, in_test: bool) {
        let mut test_item = false;
        let mut after_hash = false;
        for tree in stream {
            let here = in_test || test_item;
            if self.is_doc_comment(tree.span()) {
                continue;
            }
            let is_hash = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
            match tree {
                TokenTree::Group(group) => {
                    test_item |= after_hash && is_cfg_test(&group);
                    // An item ends with its body.
                    test_item &= group.delimiter() != Delimiter::Brace;
                    self.group(&group, here);
                }
                TokenTree::Punct(punct) => {
                    test_item &= punct.as_char() != ';';
                    self.punct(punct.as_char(), punct.span(), here);
                }
                TokenTree::Ident(ident) => self.push(ident.to_string(), ident.span(), here, true),
                TokenTree::Literal(literal) => {
                    self.push(literal.to_string(), literal.span(), here, false);
                }
            }
            after_hash = is_hash;
        }
    }

    fn group(&mut self, group: &Group, in_test: bool) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => return self.stream(group.stream(), in_test),
        };
        self.push(open.to_owned(), group.span_open(), in_test, false);
        self.stream(group.stream(), in_test);
        self.push(close.to_owned(), group.span_close(), in_test, false);
    }

    /// Adds a punctuation mark; the second `:` of a `::` is joined to the first.
    fn punct(&mut self, mark: char, span: Span, in_test: bool) {
        let adjacent = span.byte_range().start == self.position.0;
        match self.tokens.last_mut() {
            Some(last) if mark == ':' && last.text == ":" && adjacent => {
                last.text.push(':');
                self.position = (span.byte_range().end, span.end().line);
            }
            _ => self.push(mark.to_string(), span, in_test, false),
        }
    }

    fn push(&mut self, text: String, span: Span, in_test: bool, is_ident: bool) {
        let Range { start, end } = span.byte_range();
        self.gap(start);
        self.tokens.push(Token {
            text,
            line: span.start().line,
            is_ident,
            in_test,
        });
        self.position = (end, span.end().line);
    }

    /// Doc comments come as attributes whose every token spans the whole comment. They are left
    /// where they are: in the gap before the next token.
    fn is_doc_comment(&self, span: Span) -> bool {
        let text = self.source.get(span.byte_range()).unwrap_or_default();
        text.starts_with("//") || text.starts_with("/*")
    }

    /// Takes the comments between the last token and the one that starts at `end`: nothing else is
    /// there but white space.
    fn gap(&mut self, end: usize) {
        let (start, line) = self.position;
        let gap = self.source.get(start..end).unwrap_or_default();
        for (offset, text) in gap.lines().enumerate() {
            if !text.trim().is_empty() {
                self.comments.push(Comment {
                    line: line + offset,
                    text: text.trim().to_owned(),
                });
            }
        }
    }
}

/// Whether the brackets of an attribute hold `cfg(… test …)`, and not `cfg(not(test))`.
fn is_cfg_test(group: &Group) -> bool {
    let text = group.stream().to_string();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not")
}

#[cfg(test)]
mod tests {
    use super::lex;

    #[test]
    fn comments_and_strings_are_not_code() {
        let source = "//! Top.\nfn f() { // why\n    g(\"h()\"); /* a\n b */ }\n\
                      /// Doc.\nconst A: u8 = b::C;\n";
        let (tokens, comments) = lex(source).expect("it is Rust");
        let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(
            texts.join(" "),
            "fn f ( ) { g ( \"h()\" ) ; } const A : u8 = b :: C ;"
        );
        let found: Vec<String> = comments
            .iter()
            .map(|c| format!("{} {}", c.line, c.text))
            .collect();
        assert_eq!(
            found,
            ["1 //! Top.", "2 // why", "3 /* a", "4 b */", "5 /// Doc."]
        );
    }

    #[test]
    fn the_code_under_cfg_test_is_known() {
        let source = "fn a() {}\n#[cfg(test)]\nmod t { fn b() {} }\nfn c() {}\n\
                      #[cfg(not(test))]\nfn d() {}\n\
                      #[cfg(test)]\nuse e;\nfn f() {}";
        let (tokens, _) = lex(source).expect("it is Rust");
        let in_test = |name: &str| tokens.iter().find(|t| t.text == name).map(|t| t.in_test);
        for (name, expected) in [
            ("a", false),
            ("b", true),
            ("c", false),
            ("d", false),
            ("e", true),
            ("f", false),
        ] {
            assert_eq!(in_test(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn text_that_is_not_rust_is_refused() {
        assert!(lex("fn f( {").is_err());
    }
}

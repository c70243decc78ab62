//! The arguments of the standard library's macros that take plain expressions: those that format,
//! `vec!` and `dbg!`.

use proc_macro2::{Ident, Span};
use syn::{Expr, ExprLit, Lit, Macro, Token, punctuated::Punctuated};

/// The macros, and which argument is the format string.
const KNOWN: [(&str, Option<usize>); 20] = [
    ("assert", Some(1)),
    ("assert_eq", Some(2)),
    ("assert_ne", Some(2)),
    ("dbg", None),
    ("debug_assert", Some(1)),
    ("debug_assert_eq", Some(2)),
    ("debug_assert_ne", Some(2)),
    ("eprint", Some(0)),
    ("eprintln", Some(0)),
    ("format", Some(0)),
    ("format_args", Some(0)),
    ("panic", Some(0)),
    ("print", Some(0)),
    ("println", Some(0)),
    ("todo", Some(0)),
    ("unimplemented", Some(0)),
    ("unreachable", Some(0)),
    ("vec", None),
    ("write", Some(1)),
    ("writeln", Some(1)),
];

/// The arguments of a macro of the list.
pub(crate) struct MacroArgs {
    args: Punctuated<Expr, Token![,]>,
    format_at: Option<usize>,
}

impl MacroArgs {
    /// The arguments, when `mac` is known and has the form it usually has.
    pub(crate) fn parse(mac: &Macro) -> Option<Self> {
        let name = mac.path.segments.last()?;
        let (_, format_at) = KNOWN.iter().find(|(known, _)| name.ident == known)?;
        let args = mac.parse_body_with(Punctuated::parse_terminated).ok()?;
        Some(Self {
            args,
            format_at: *format_at,
        })
    }

    /// The arguments; of `name = value` the value.
    pub(crate) fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.args.iter().map(|arg| match arg {
            Expr::Assign(assign) => &*assign.right,
            other => other,
        })
    }

    /// The names of `name = value`.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        self.args.iter().filter_map(|arg| match arg {
            Expr::Assign(assign) => match &*assign.left {
                Expr::Path(path) => path.path.get_ident(),
                _ => None,
            },
            _ => None,
        })
    }

    /// The variables named inside the format string, with the string's span.
    pub(crate) fn inline_names(&self) -> Vec<(String, Span)> {
        match self.format_at.and_then(|at| self.args.get(at)) {
            Some(Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            })) => inline_names(&text.value())
                .map(|name| (name, text.span()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The `x` of `{x}` and `{x:?}`; not of `{{x}}`, and not a width such as `{:x$}`.
fn inline_names(format: &str) -> impl Iterator<Item = String> {
    let format = format.replace("{{", "");
    let names: Vec<String> = format
        .split('{')
        .skip(1)
        .map(|part| {
            part.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect();
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, expected: &[&str]) {
        let found: Vec<String> = inline_names(format)
            .filter(|name| !name.is_empty())
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn variables_in_a_format_string() {
        check("{x} {y:?} {_z:>4}", &["x", "y", "_z"]);
        check("{{x}} {{{y}}} {}", &["y"]);
        check("{0} {:w$}", &["0"]);
    }
}

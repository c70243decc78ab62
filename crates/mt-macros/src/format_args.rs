//! The arguments of the standard library's macros that take plain expressions: those that format,
//! `vec!` and `dbg!`.

use proc_macro2::{Ident, Span};
use syn::{Expr, ExprLit, Lit, Macro, Token, punctuated::Punctuated};

/// The arguments of such a macro.
pub(crate) struct MacroArgs {
    /// The arguments; of `name = value` the value.
    pub(crate) exprs: Vec<Expr>,
    /// The names of `name = value`.
    pub(crate) names: Vec<Ident>,
    /// The variables named inside the format string, with the string's span.
    pub(crate) inline_names: Vec<(String, Span)>,
}

impl MacroArgs {
    /// The arguments, when `mac` is known and has the form it usually has.
    pub(crate) fn parse(mac: &Macro) -> Option<Self> {
        let name = mac.path.segments.last()?.ident.to_string();
        let format_at = match name.as_str() {
            "dbg" | "vec" => None,
            "eprint" | "eprintln" | "format" | "format_args" | "panic" | "print" | "println" => {
                Some(0)
            }
            "todo" | "unimplemented" | "unreachable" => Some(0),
            "assert" | "debug_assert" | "write" | "writeln" => Some(1),
            "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => Some(2),
            _ => return None,
        };
        let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
        let args = mac.parse_body_with(parse).ok()?;
        let mut all = Self {
            exprs: Vec::new(),
            names: Vec::new(),
            inline_names: Vec::new(),
        };
        if let Some(Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        })) = format_at.and_then(|at| args.get(at))
        {
            let names = inline_names(&text.value()).into_iter();
            all.inline_names = names.map(|name| (name, text.span())).collect();
        }
        for arg in args {
            if let Expr::Assign(assign) = arg {
                if let Expr::Path(path) = &*assign.left {
                    all.names.extend(path.path.get_ident().cloned());
                }
                all.exprs.push(*assign.right);
            } else {
                all.exprs.push(arg);
            }
        }
        Some(all)
    }
}

/// The `x` of `{x}` and `{x:?}`; not of `{{x}}`, and not a width such as `{:x$}`.
fn inline_names(format: &str) -> Vec<String> {
    let format = format.replace("{{", "");
    let parts = format.split('{').skip(1);
    parts
        .map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter_map(|mut words| words.next().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, expected: &[&str]) {
        let mut found = inline_names(format);
        found.retain(|name| !name.is_empty());
        assert_eq!(found, expected);
    }

    #[test]
    fn variables_in_a_format_string() {
        check("{x} {y:?} {_z:>4}", &["x", "y", "_z"]);
        check("{{x}} {{{y}}} {}", &["y"]);
        check("{0} {:w$}", &["0"]);
    }
}

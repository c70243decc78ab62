//! Finds what a closure takes from outside, as far as spelling tells. The compiler finds the rest,
//! with a message that fits less well, because by then the closure is a function.
//!
//! A name counts as the closure's own when anything in it binds the name, wherever that is. So a
//! correct closure is refused in one case only: it passes a lower-case function by its bare name.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::{
    Attribute, Expr, ExprCall, ExprClosure, ExprPath, Item, Macro, PatIdent, Receiver, Signature,
    UseName, UseRename,
    ext::IdentExt,
    visit::{self, Visit},
};

use crate::{errors::Errors, format_args::MacroArgs};

/// Refuses names that nothing in the closure binds, each at its first mention.
pub(crate) fn check(closure: &ExprClosure) -> syn::Result<()> {
    let mut names = Names::default();
    closure.inputs.iter().for_each(|pat| names.visit_pat(pat));
    // Whatever is in a parameter's type, it is no variable.
    names.mentioned.clear();
    names.visit_expr(&closure.body);
    let mut errors = Errors::default();
    for (name, span) in names.mentioned {
        let lower_case = name.starts_with(|first: char| first == '_' || first.is_lowercase());
        if lower_case && !names.bound.contains(&name) {
            errors.add(syn::Error::new(span, message(&name)));
            names.bound.insert(name);
        }
    }
    errors.finish()
}

fn message(name: &str) -> String {
    let not_defined = format!(
        "`{name}` is not defined inside this closure: a task runs in another process and can't capture"
    );
    if name == "self" {
        return format!("{not_defined}. Take what it needs of `self` as a parameter");
    }
    format!(
        "{not_defined}. Pass it as a shared value: take `#[shared] {name}: &T` and give it with \
         `.shared({name})`. If `{name}` is an item, write its path, `self::{name}`"
    )
}

/// The names in a closure.
#[derive(Default)]
struct Names {
    /// The names that it binds, anywhere.
    bound: HashSet<String>,
    /// The names that may be variables.
    mentioned: Vec<(String, Span)>,
}

impl Names {
    fn bind(&mut self, name: &Ident) {
        self.bound.insert(name.unraw().to_string());
    }

    /// A macro may define what its tokens name.
    fn bind_all(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Ident(name) => self.bind(&name),
                TokenTree::Group(group) => self.bind_all(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        self.bind(&pat.ident);
        visit::visit_pat_ident(self, pat);
    }

    fn visit_signature(&mut self, signature: &'ast Signature) {
        self.bind(&signature.ident);
        visit::visit_signature(self, signature);
    }

    fn visit_receiver(&mut self, receiver: &'ast Receiver) {
        self.bound.insert("self".to_owned());
        visit::visit_receiver(self, receiver);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Const(item) => self.bind(&item.ident),
            Item::Static(item) => self.bind(&item.ident),
            Item::Struct(item) => self.bind(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_use_name(&mut self, item: &'ast UseName) {
        self.bind(&item.ident);
    }

    fn visit_use_rename(&mut self, item: &'ast UseRename) {
        self.bind(&item.rename);
    }

    fn visit_expr_path(&mut self, expr: &'ast ExprPath) {
        let name = expr.path.get_ident().filter(|_| expr.qself.is_none());
        let mentioned = name.map(|name| (name.unraw().to_string(), name.span()));
        self.mentioned.extend(mentioned);
        visit::visit_expr_path(self, expr);
    }

    /// What is called by its bare name is most likely a function.
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if !matches!(&*call.func, Expr::Path(_)) {
            self.visit_expr(&call.func);
        }
        call.args.iter().for_each(|arg| self.visit_expr(arg));
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        let Some(args) = MacroArgs::parse(mac) else {
            return self.bind_all(mac.tokens.clone());
        };
        args.names.iter().for_each(|name| self.bind(name));
        for expr in &args.exprs {
            Names::visit_expr(self, expr);
        }
        self.mentioned.extend(args.inline_names);
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    /// The closure takes exactly these names from outside.
    fn check_names(closure: &ExprClosure, expected: &[&str]) {
        let errors = check(closure).err().into_iter().flatten();
        let messages: Vec<String> = errors.map(|error| error.to_string()).collect();
        let found = messages.iter().filter_map(|text| text.split('`').nth(1));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    /// A test of closures, each with the names that it takes.
    macro_rules! names {
        ($test:ident: $({ $($closure:tt)* } $taken:tt)*) => {
            #[test]
            fn $test() {
                $(check_names(&parse_quote!($($closure)*), &$taken);)*
            }
        };
    }

    names! { names_from_outside_are_found_once:
        { |x: u8| x + y + y } ["y"]
        { |x: u8| { y.push(x); z[0]; } } ["y", "z"]
        { |x: u8| Point { x, y } } ["y"]
        { |x: u8| self.factor * x } ["self"]
        { |x: u8| async move { other.get(x).await } } ["other"]
    }

    names! { names_bound_inside_are_the_closures_own:
        { |(a, Point { b, c: d }): T| a + b + d } []
        { |x: u8| { let y = x; if let Some(z) = y { z } else { y } } } []
        { |x: u8| match x { n @ 0..4 => n, other => other } } []
        { |x: u8| x.map(|v| v + 1) } []
        { |x: u8| { for i in 0..x { while let Some(j) = i { j; } } } } []
        { |x: u8| { fn twice(v: u8) -> u8 { v } x.map(twice) } } []
        { |x: u8| { use a::{b, c as d}; x.map(b).map(d) } } []
    }

    names! { what_is_no_variable_is_left_alone:
        { |x: u8| x.y().z } []
        { |x: u8| helper(x) + module::other + MAX } []
        { |x: u8| 'outer: loop { break 'outer; } } []
        { |x: u8| Point { x, y: 1 } } []
        { |x: u8| x.map(self::item).map(parse::<u8>) } []
        { |x: u8| { #[cfg(feature = y)] let z = x; z } } []
    }

    names! { macros_of_std_are_looked_into_and_others_are_not:
        { |x: u8| format!("{x} {} {w:?}", y) } ["y", "w"]
        { |x: u8| println!("{{y}} {0} {z} {z:>1$}", x, 3, z = x) } []
        { |x: u8| { assert!(x > 0, "{x}{y}"); vec![z, x] } } ["y", "z"]
        { |x: u8| vec!["{y}"] } []
        { |x: u8| tracing::info!(y, %z, "{w}") } []
        { |x: u8| { pin_mut!(fut); fut.poll(x) } } []
    }
}

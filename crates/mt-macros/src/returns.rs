//! What a task returns. Whether that is a `Result`, and how its error crosses, is the compiler's to say: see
//! `mt_pool::__private::returns`.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote, quote_spanned};
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, parse_quote, spanned::Spanned};

use crate::owned;

/// A return type.
pub(crate) struct Returns {
    /// As a type that can be named outside the function's signature; `()` when nothing is written.
    pub(crate) ty: TokenStream,
    /// Where it is written, and the value in it.
    pub(crate) span: Span,
    pub(crate) value_span: Span,
}

impl Returns {
    pub(crate) fn parse(output: &ReturnType) -> syn::Result<Self> {
        let unit = parse_quote!(());
        let ty = match output {
            ReturnType::Default => &unit,
            ReturnType::Type(_, ty) => &**ty,
        };
        // An error of which only the text crosses may borrow.
        let value = value_in(ty).unwrap_or(ty);
        owned::check(value)?;
        Ok(Self {
            ty: with_lifetimes(ty.to_token_stream()),
            span: ty.span(),
            value_span: value.span(),
        })
    }

    /// The expression of which of its ways it becomes an outcome; `krate` has `__private::returns`. It is the
    /// value of a constant, `how` below.
    pub(crate) fn how(&self, krate: &Path) -> TokenStream {
        let ty = &self.ty;
        quote_spanned! {self.span=> {
            // generated: used when one of the answers is no
            #[allow(unused_imports, reason = "which of the answers it has depends on the type")]
            use #krate::__private::returns::Otherwise as _;
            type __Asked = <#krate::__private::returns::Borrowed<{
                #krate::__private::returns::Probe::<#ty>::IS_BORROWED
            }> as #krate::__private::returns::Instead<#ty>>::Type;
            #krate::__private::returns::checked::<#ty, { #krate::__private::returns::how(
                #krate::__private::returns::Probe::<#ty>::IS_RESULT,
                #krate::__private::returns::Probe::<__Asked>::IS_TYPED,
            ) }>()
        }}
    }

    /// The type of its value, or of its error as that crosses: `part` of `Returns`.
    pub(crate) fn part(&self, krate: &Path, how: &TokenStream, part: &str) -> TokenStream {
        let span = match part {
            "Value" => self.value_span,
            _ => self.span,
        };
        let (ty, part) = (&self.ty, Ident::new(part, span));
        quote_spanned! {span=>
            <#krate::__private::returns::As<{ #how }> as #krate::__private::returns::Returns<#ty>>::#part
        }
    }

    /// What a call returned, as a `Result` of the two.
    pub(crate) fn outcome(
        &self,
        krate: &Path,
        how: &TokenStream,
        called: &TokenStream,
    ) -> TokenStream {
        quote_spanned! {self.span=>
            <#krate::__private::returns::As<{ #how }> as #krate::__private::returns::Returns<_>>::outcome(#called)
        }
    }
}

/// Gives lifetimes that are left out a name: which one makes no difference to how a type crosses.
fn with_lifetimes(tokens: TokenStream) -> TokenStream {
    let mut named = TokenStream::new();
    let mut before = ' ';
    for token in tokens {
        let is_lifetime = matches!(&token, TokenTree::Punct(quote) if quote.as_char() == '\'');
        if before == '&' && !is_lifetime {
            named.extend(quote!('static));
        }
        let kept = match token {
            TokenTree::Ident(name) if before == '\'' && name == "_" => {
                Ident::new("static", name.span()).into()
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), with_lifetimes(group.stream()));
                inner.set_span(group.span());
                inner.into()
            }
            other => other,
        };
        before = match &kept {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
        named.append(kept);
    }
    named
}

/// The first type `ty` has inside when it is written as a `Result<…>`.
fn value_in(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = owned::peel(ty) else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    (last.ident == "Result").then(|| types.next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: ReturnType, expected: TokenStream) {
        let found = Returns::parse(&output).expect("owned");
        let without_spaces = |tokens: &TokenStream| tokens.to_string().replace(' ', "");
        assert_eq!(without_spaces(&found.ty), without_spaces(&expected));
    }

    #[test]
    fn lifetimes_that_are_left_out_get_a_name() {
        check(
            parse_quote!(-> Result<u8, (&str, Cow<'_, &'static [u8]>)>),
            quote!(Result<u8, (&'static str, Cow<'static, &'static [u8]>)>),
        );
        check(parse_quote!(-> u8), quote!(u8));
        check(ReturnType::Default, quote!(()));
    }

    #[test]
    fn a_value_that_borrows_is_refused() {
        assert!(Returns::parse(&parse_quote!(-> &str)).is_err());
        assert!(Returns::parse(&parse_quote!(-> Result<&str, E>)).is_err());
    }
}

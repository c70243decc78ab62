//! What a task returns: a value, or a `Result` with or without a named error.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, ReturnType, Type};

use crate::owned;

/// A return type as the task's output and error.
pub(crate) enum Returns {
    /// No return type, or `()`.
    Nothing,
    /// A plain value.
    Value(TokenStream),
    /// `Result<T, E>`.
    Result {
        output: TokenStream,
        error: TokenStream,
    },
    /// An alias of one argument, such as `anyhow::Result<T>`: the error crosses as its text.
    Alias { output: TokenStream },
}

impl Returns {
    pub(crate) fn parse(output: &ReturnType) -> syn::Result<Self> {
        let ReturnType::Type(_, ty) = output else {
            return Ok(Self::Nothing);
        };
        owned::check(ty)?;
        Ok(Self::of(ty))
    }

    /// As [`parse`](Self::parse), for an error that only its text crosses of: it may borrow.
    pub(crate) fn parse_with_any_error(output: &ReturnType) -> syn::Result<Self> {
        let ReturnType::Type(_, ty) = output else {
            return Ok(Self::Nothing);
        };
        match arguments_of("Result", ty).first() {
            Some(value) => owned::check(value)?,
            None => owned::check(ty)?,
        }
        Ok(Self::of(ty))
    }

    fn of(ty: &Type) -> Self {
        match (owned::peel(ty), arguments_of("Result", ty).as_slice()) {
            (Type::Tuple(tuple), _) if tuple.elems.is_empty() => Self::Nothing,
            (_, [output, error]) => Self::Result {
                output: output.into_token_stream(),
                error: error.into_token_stream(),
            },
            (_, [output]) => Self::Alias {
                output: output.into_token_stream(),
            },
            _ => Self::Value(ty.into_token_stream()),
        }
    }

    /// Whether the value is written as an `Option<…>`.
    pub(crate) fn is_option(&self) -> bool {
        let output = match self {
            Self::Nothing => return false,
            Self::Value(output) | Self::Result { output, .. } | Self::Alias { output } => output,
        };
        syn::parse2::<Type>(output.clone()).is_ok_and(|ty| arguments_of("Option", &ty).len() == 1)
    }
}

/// The types `ty` has inside when it is written as a `name<…>`.
fn arguments_of<'a>(name: &str, ty: &'a Type) -> Vec<&'a Type> {
    let Type::Path(path) = owned::peel(ty) else {
        return Vec::new();
    };
    let Some(last) = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)
    else {
        return Vec::new();
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn check(output: ReturnType, expected: &str) {
        let found = match Returns::parse(&output).expect("owned") {
            Returns::Nothing => "nothing".to_owned(),
            Returns::Value(ty) => format!("value {ty}"),
            Returns::Result { output, error } => format!("{output} or {error}"),
            Returns::Alias { output } => format!("{output} or its text"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_result_says_its_error_or_crosses_as_text() {
        check(parse_quote!(-> Result<u8, E>), "u8 or E");
        check(parse_quote!(-> ::std::result::Result<u8, E>), "u8 or E");
        check(parse_quote!(-> anyhow::Result<u8>), "u8 or its text");
    }

    #[test]
    fn an_option_is_told_from_everything_else() {
        let is_option = |output: ReturnType| Returns::parse(&output).expect("owned").is_option();
        assert!(is_option(parse_quote!(-> Option<u8>)));
        assert!(is_option(
            parse_quote!(-> Result<::std::option::Option<u8>, E>)
        ));
        assert!(is_option(parse_quote!(-> anyhow::Result<Option<u8>>)));
        assert!(!is_option(parse_quote!(-> Vec<Option<u8>>)));
        assert!(!is_option(parse_quote!(-> Option)));
        assert!(!is_option(ReturnType::Default));
    }

    #[test]
    fn everything_else_is_a_value() {
        check(parse_quote!(-> Option<u8>), "value Option < u8 >");
        check(parse_quote!(-> Result), "value Result");
        check(parse_quote!(-> ()), "nothing");
        check(ReturnType::Default, "nothing");
    }
}

//! Refuses types that can't be the type of a value from another process, by their spelling. Whether a
//! named type can be sent is the compiler's to say (`Wire`).

use syn::{
    Lifetime, Type, TypeFnPtr, TypeImplTrait, TypeInfer, TypeNever, TypeReference, visit::Visit,
};

use crate::errors::Errors;

/// What is wrong with `ty` as part of a task's signature, at each place.
pub(crate) fn check(ty: &Type) -> syn::Result<()> {
    let mut visitor = NotOwned::default();
    visitor.visit_type(ty);
    visitor.errors.finish()
}

/// `ty` without parentheses and the invisible delimiters of `macro_rules!`.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        _ => ty,
    }
}

#[derive(Default)]
struct NotOwned {
    errors: Errors,
}

impl<'ast> Visit<'ast> for NotOwned {
    fn visit_type_reference(&mut self, ty: &'ast TypeReference) {
        self.errors.push(
            ty,
            "what crosses to another process can't borrow: use the owned type (`String` for `&str`, `Vec<T>` for `&[T]`)",
        );
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.errors.push(
                lifetime,
                "what crosses to another process can't borrow: use an owned type, or `'static` here",
            );
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.errors.push(
            ty,
            "a worker must know the type to decode: name a type instead of `impl …`",
        );
    }

    fn visit_type_infer(&mut self, ty: &'ast TypeInfer) {
        self.errors
            .push(ty, "a worker must know the type to decode: write it out");
    }

    fn visit_type_never(&mut self, ty: &'ast TypeNever) {
        self.errors.push(
            ty,
            "a task returns a value to its caller: give it a return type",
        );
    }

    // `fn(&str)` borrows nothing. It can't be sent either, which the compiler says.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}

    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn check_ty(ty: Type, expected: &str) {
        let found = check(&ty)
            .err()
            .map_or_else(|| "fine".to_owned(), |error| error.to_string());
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn owned_types_are_fine() {
        check_ty(parse_quote!(Vec<(String, [u8; 4])>), "fine");
        check_ty(parse_quote!(Cow<'static, str>), "fine");
        check_ty(parse_quote!(fn(&str) -> &str), "fine");
    }

    #[test]
    fn borrowed_and_nameless_types_are_not() {
        check_ty(parse_quote!(Option<&str>), "use the owned type");
        check_ty(parse_quote!(Cow<'_, str>), "or `'static` here");
        check_ty(parse_quote!(Box<impl Display>), "name a type");
        check_ty(parse_quote!(Vec<_>), "write it out");
        check_ty(parse_quote!(!), "give it a return type");
    }
}

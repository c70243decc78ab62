//! The signature of a function or method that becomes a task: what of it can't be called in another process
//! is refused here.

use syn::{FnArg, PatType, Safety, Signature};

use crate::{
    errors::Errors,
    params::{Lead, Params},
    returns::Returns,
};

/// A signature, by what a call of it needs.
pub(crate) struct TaskSignature {
    pub(crate) is_async: bool,
    pub(crate) params: Params,
    pub(crate) returns: Returns,
}

impl TaskSignature {
    /// Reads the signature of a function and removes the attributes of its parameters.
    pub(crate) fn of_function(sig: &mut Signature) -> syn::Result<Self> {
        let mut errors = Errors::default();
        errors.refuse(
            sig.receiver(),
            "a task is a free function, because a worker has no `self` to call it on: move it out of \
             the `impl` and take what it needs of `self` as a parameter",
        );
        let params = Params::of_function(sig.inputs.iter_mut().filter_map(typed));
        Self::of(sig, params, errors)
    }

    /// Reads the signature of a method of a bee, with the errors found so far.
    pub(crate) fn of_method(sig: &Signature, leads: &[Lead], errors: Errors) -> syn::Result<Self> {
        Self::of(sig, Params::of_method(sig, leads), errors)
    }

    fn of(sig: &Signature, params: syn::Result<Params>, mut errors: Errors) -> syn::Result<Self> {
        refuse_generics(sig, &mut errors);
        refuse_qualifiers(sig, &mut errors);
        let params = errors.take(params);
        let returns = errors.take(Returns::parse(&sig.output));
        errors.finish()?;
        Ok(Self {
            is_async: sig.asyncness.is_some(),
            params: params.expect("what was not parsed is an error"),
            returns: returns.expect("what was not parsed is an error"),
        })
    }
}

fn typed(arg: &mut FnArg) -> Option<&mut PatType> {
    match arg {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    }
}

fn refuse_generics(sig: &Signature, errors: &mut Errors) {
    if !sig.generics.params.is_empty() {
        errors.push(
            &sig.generics,
            "a task can't be generic, because a worker finds it by name: write one task for each \
             type, each calling the generic function",
        );
    } else {
        errors.refuse(
            sig.generics.where_clause.as_ref(),
            "a task can't be generic: leave the `where` clause out",
        );
    }
}

fn refuse_qualifiers(sig: &Signature, errors: &mut Errors) {
    if let Safety::Unsafe(token) = &sig.safety {
        errors.push(
            token,
            "a worker calls a task with whatever it is sent, so it must be safe: call the unsafe \
             function from a safe task that checks its input",
        );
    }
    errors.refuse(
        sig.abi.as_ref(),
        "a task is a plain Rust function: call the `extern` function from one",
    );
    errors.refuse(
        sig.constness,
        "a task can't be `const`: leave it out, or call the `const fn` from a task",
    );
}

#[cfg(test)]
mod tests {
    use syn::{ItemFn, parse_quote};

    use super::*;
    use crate::params::Role;

    /// The function has exactly these errors.
    fn check(source: &str, expected: &[&str]) {
        let mut item: ItemFn = syn::parse_str(source).expect("a function");
        let found: Vec<String> = TaskSignature::of_function(&mut item.sig)
            .err()
            .map(|error| error.into_iter().map(|error| error.to_string()).collect())
            .unwrap_or_default();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn parameters_have_roles_and_lose_their_attributes() {
        let mut item: ItemFn = parse_quote! {
            fn f(a: u8, #[shared] s: &str, #[expect(unused)] b: u16, #[context] cx: &Web) {}
        };
        let params = TaskSignature::of_function(&mut item.sig)
            .expect("valid")
            .params;
        let local = |name| Role::Local {
            name,
            by_reference: true,
        };
        assert_eq!(
            params.roles,
            [Role::Input, local("shared"), Role::Input, local("context")]
        );
        assert_eq!(params.inputs.len(), 2);
        assert_eq!(
            params.shared.expect("shared").to_string(),
            ":: std :: string :: String"
        );
        let attrs = item.sig.inputs.iter().map(|arg| match arg {
            FnArg::Typed(param) => param.attrs.len(),
            FnArg::Receiver(_) => 0,
        });
        assert_eq!(attrs.collect::<Vec<_>>(), [0, 0, 1, 0]);
    }

    #[test]
    fn a_reference_must_be_marked() {
        check("fn f(x: &str) {}", &["can't borrow `x` from its caller"]);
        check("fn f(x: Vec<&str>) {}", &["use the owned type"]);
        check("fn f(#[shared] x: &mut u8) {}", &["without `mut`"]);
        check("fn f(#[shared] x: u8) {}", &["take it by reference"]);
        check(
            "fn f(#[shared] x: &'static u8) {}",
            &["leave the lifetime out"],
        );
        check(
            "fn f(#[shared] a: &A, #[shared] b: &B) {}",
            &["at most one #[shared]"],
        );
        check("fn f( #[shared] #[context] a: &A, ) { }", &["once"]);
    }

    #[test]
    fn what_a_worker_can_not_call_is_refused() {
        check("fn f(&self, x: u8) {}", &["free function"]);
        check("fn f<T>(x: T) {}", &["can't be generic"]);
        check("fn f<'a>(x: u8) {}", &["can't be generic"]);
        check("fn f(x: impl Copy) {}", &["name a type"]);
        check("unsafe fn f() {}", &["must be safe"]);
        check(r#"extern "C" fn f() {}"#, &["plain Rust function"]);
        check("const fn f() {}", &["can't be `const`"]);
    }

    #[test]
    fn all_errors_are_told_at_once() {
        check(
            "fn f<T>(x: &str, y: &T) -> &str {}",
            &["generic", "borrow `x`", "borrow `y`", "use the owned type"],
        );
    }
}

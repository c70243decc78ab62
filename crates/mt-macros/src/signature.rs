//! The signature of a function that becomes a task: what of it a worker can't call is refused here.

use syn::{FnArg, PatType, Safety, Signature};

use crate::{errors::Errors, params::Params, returns::Returns};

/// A task's signature, by what the generated impl needs of it.
pub(crate) struct TaskSignature {
    pub(crate) is_async: bool,
    pub(crate) params: Params,
    pub(crate) returns: Returns,
}

impl TaskSignature {
    /// Reads the signature of a function and removes the attributes of its parameters.
    pub(crate) fn take(sig: &mut Signature) -> syn::Result<Self> {
        let mut errors = Errors::default();
        refuse_receiver(sig, &mut errors);
        refuse_generics(sig, &mut errors);
        refuse_qualifiers(sig, &mut errors);
        let params = errors.take(Params::take(sig.inputs.iter_mut().filter_map(typed)));
        let returns = errors.take(Returns::parse(&sig.output));
        errors.finish()?;
        let (Some(params), Some(returns)) = (params, returns) else {
            unreachable!("what was not parsed is an error");
        };
        Ok(Self {
            is_async: sig.asyncness.is_some(),
            params,
            returns,
        })
    }
}

fn typed(arg: &mut FnArg) -> Option<&mut PatType> {
    match arg {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    }
}

fn refuse_receiver(sig: &Signature, errors: &mut Errors) {
    if let Some(receiver) = sig.receiver() {
        errors.push(
            receiver,
            "a task is a free function, because a worker has no `self` to call it on: move it out of \
             the `impl` and take what it needs of `self` as a parameter",
        );
    }
}

pub(crate) fn refuse_generics(sig: &Signature, errors: &mut Errors) {
    if !sig.generics.params.is_empty() {
        errors.push(
            &sig.generics,
            "a task can't be generic, because a worker finds it by name: write one task for each \
             type, each calling the generic function",
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        errors.push(
            clause,
            "a task can't be generic: leave the `where` clause out",
        );
    }
}

pub(crate) fn refuse_qualifiers(sig: &Signature, errors: &mut Errors) {
    if let Safety::Unsafe(token) = &sig.safety {
        errors.push(
            token,
            "a worker calls a task with whatever it is sent, so it must be safe: call the unsafe \
             function from a safe task that checks its input",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.push(
            abi,
            "a task is a plain Rust function: call the `extern` function from one",
        );
    }
    if let Some(token) = &sig.constness {
        errors.push(
            token,
            "a task can't be `const`: leave it out, or call the `const fn` from a task",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.push(variadic, "a task has a fixed number of parameters");
    }
}

#[cfg(test)]
mod tests {
    use syn::{ItemFn, parse_quote};

    use super::*;
    use crate::params::Role;

    /// The function has exactly these errors.
    fn check(source: &str, expected: &[&str]) {
        let mut item: ItemFn = syn::parse_str(source).expect("a function");
        let found: Vec<String> = TaskSignature::take(&mut item.sig)
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
        let params = TaskSignature::take(&mut item.sig).expect("valid").params;
        assert_eq!(
            params.roles,
            [Role::Input, Role::Shared, Role::Input, Role::Context]
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

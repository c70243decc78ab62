//! What blocks become, and which are refused.

use quote::quote;

use super::*;

/// The expansion is items, and has each of these parts.
fn check(caste: Caste, arguments: TokenStream, item: TokenStream, parts: &[TokenStream]) {
    let expanded = expand(caste, arguments, item);
    let file: syn::File = syn::parse2(expanded.clone()).expect("an expansion is items");
    assert!(!file.items.is_empty());
    let text = expanded.to_string().replace(' ', "");
    for part in parts {
        let part = part.to_string().replace(' ', "");
        assert!(text.contains(&part), "no `{part}` in: {text}");
    }
}

/// The block has exactly these errors.
fn refused(arguments: TokenStream, item: TokenStream, expected: &[&str]) {
    refused_as(Caste::Worker, arguments, item, expected);
}

fn refused_as(caste: Caste, arguments: TokenStream, item: TokenStream, expected: &[&str]) {
    let file: syn::File = syn::parse2(expand(caste, arguments, item)).expect("items");
    let macros = file.items.iter().filter_map(|item| match item {
        syn::Item::Macro(call) if call.mac.path.segments.last()?.ident == "compile_error" => {
            Some(call.mac.tokens.to_string())
        }
        _ => None,
    });
    let found: Vec<String> = macros.collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn a_worker_keeps_its_block_and_gets_its_tasks() {
    check(
        Caste::Worker,
        quote!(),
        quote! {
            impl Resizer {
                fn new(cx: BeeCx, quality: u8) -> Result<Self, E> { todo() }
                /// Resizes.
                #[task]
                async fn resize(&self, cx: &TaskCx, img: Bytes, mut width: u32) -> anyhow::Result<Self> {}
                #[task]
                fn r#try(&self) {}
                fn other(&mut self) {}
            }
        },
        &[
            quote! { async fn resize(&self, cx: &TaskCx, img: Bytes, mut width: u32) -> anyhow::Result<Self> {} },
            quote! { fn other(&mut self) {} },
            quote! { impl ::mt_beehive::bee::Bee for Resizer },
            quote! { type Init = <u8 as ::mt_beehive::__private::Checked },
            quote! { const TASKS: &'static [&'static str] = &["resize", "try"]; },
            quote! { Self::new(cx, input_0) },
            quote! { Self::resize(&bee, &cx, input_0, input_1).await },
            quote! { pub trait ResizerTasks },
            quote! { #[doc = r" Resizes."] fn resize },
            quote! { fn resize(&self, img: Bytes, width: u32) -> ::mt_beehive::Delegate<<::mt_beehive::__private::Way<{ <Resizer>::__RETURNS_OF_resize }> as ::mt_beehive::__private::Returned<anyhow::Result<Resizer>>>::Value, <::mt_beehive::__private::Way<{ <Resizer>::__RETURNS_OF_resize }> as ::mt_beehive::__private::Returned<anyhow::Result<Resizer>>>::Raised> },
            quote! { fn r#try(&self,) -> ::mt_beehive::Delegate<<::mt_beehive::__private::Way<{ <Resizer>::__RETURNS_OF_try }> as ::mt_beehive::__private::Returned<()>>::Value, <::mt_beehive::__private::Way<{ <Resizer>::__RETURNS_OF_try }> as ::mt_beehive::__private::Returned<()>>::Raised> },
            quote! { impl ResizerTasks for ::mt_beehive::Hive<Resizer> },
            quote! { ::mt_beehive::__private::Registration::of::<Resizer>() },
        ],
    );
}

#[test]
fn options_name_the_trait_and_the_crate() {
    check(
        Caste::Worker,
        quote!(tasks = pub(crate) Does, crate = a::b),
        quote! { impl my::Bee { #[task] async fn go(&self) {} } },
        &[
            quote! { pub(crate) trait Does },
            quote! { impl Does for a::b::Hive<my::Bee> },
            quote! { a::b::__private::made_of_nothing::<my::Bee>() },
        ],
    );
}

#[test]
fn a_worker_may_have_worker_bees_herself() {
    check(
        Caste::Worker,
        quote!(worker = Resizer),
        quote! {
            impl Album {
                fn hive(&self) -> BeehiveRun<Resizer> { hive_of::<Resizer>(3) }
                #[task]
                async fn page(&self, cx: TaskCx, hive: &Hive<Resizer>, n: u8) -> u8 {}
                #[task]
                async fn cover(&self, hive: Hive<Resizer>) {}
                #[task]
                async fn title(&self) {}
            }
        },
        &[
            quote! { fn own_hive(&self) },
            quote! { let run: ::mt_beehive::BeehiveRun<Resizer> = Self::hive(self); run },
            quote! { Self::page(&bee, cx, &hive, input_0).await },
            quote! { Self::cover(&bee, hive).await },
            quote! { Self::title(&bee).await },
            quote! { fn page(&self, n: u8) -> ::mt_beehive::Delegate<<::mt_beehive::__private::Way<{ <Album>::__RETURNS_OF_page }> as ::mt_beehive::__private::Returned<u8>>::Value, <::mt_beehive::__private::Way<{ <Album>::__RETURNS_OF_page }> as ::mt_beehive::__private::Returned<u8>>::Raised> },
        ],
    );
    check(
        Caste::Worker,
        quote!(worker = Resizer),
        quote! { impl Album { #[task] async fn f(&self, hive: &Hive<Resizer>) {} } },
        &[quote! { ::mt_beehive::__private::hive_of_nothing::<Resizer>() }],
    );
}

/// A test of worker bees with what their attribute is given, and the error of each.
macro_rules! refused {
    ($test:ident: $(($($arguments:tt)*) { $($item:tt)* } $error:literal)*) => {
        #[test]
        fn $test() {
            $(refused(quote!($($arguments)*), quote!($($item)*), &[$error]);)*
        }
    };
}

refused! { a_hive_below_that_is_not_described_is_refused:
    () { impl A { #[task] async fn f(&self, hive: &Hive<B>) {} } }
        "no worker bees of its own"
    (worker = B) { impl A { #[task] async fn f(&self, hive: &Hive<B>, cx: &TaskCx) {} } }
        "first come `TaskCx` and `Hive`, in this order"
    (worker = B) { impl A { async fn hive(&self) -> BeehiveRun<B> {} #[task] async fn f(&self) {} } }
        "`hive` only describes"
}

#[test]
fn a_queen_has_a_hive_and_nothing_crosses() {
    check(
        Caste::Queen,
        quote!(worker = Resizer),
        quote! { impl Maya { #[task] async fn all(&self, hive: &Hive<Resizer>, df: Frame) -> u8 {} } },
        &[
            quote! { type Worker = Resizer; },
            quote! { let input_0 = args.take::<Frame>()?; },
            quote! { Self::all(&bee, &hive, input_0).await },
            quote! { impl MayaTasks for ::mt_beehive::Queen<Maya> },
        ],
    );
}

refused! { what_can_not_be_delegated_is_refused:
    () { impl A { #[task] async fn f(x: u8) {} } } "take `&self` first"
    () { impl A { #[task] async fn f(&mut self) {} } } "many tasks at once"
    () { impl A { #[task] async fn f(self: Rc<Self>) {} } } "borrows its bee"
    () { impl A { #[task] async fn f(&self, x: &str) {} } } "can't borrow it"
    () { impl A { #[task] async fn f<T>(&self, x: T) {} } } "can't be generic"
    () { impl A { #[task] async fn busy_status(&self) {} } } "every worker bee"
    () { impl A { #[task] async fn spawn(&self) {} } } "`Hive::spawn`"
    () { impl A { #[task] async fn f(&self, x: u8, cx: TaskCx) {} } } "first come `TaskCx` and `Hive`"
    () { impl A { #[task] fn f(&self) {} #[task] fn f(&self) {} } } "one task of a name"
}

#[test]
fn names_that_would_be_hidden_are_refused() {
    let task = |name: &str| {
        let name = quote::format_ident!("{name}");
        quote! { impl A { #[task] async fn #name(&self) {} } }
    };
    refused(quote!(), task("interrupted"), &["`Hive::interrupted`"]);
    refused(quote!(), task("shutdown"), &["`RunningHive::shutdown`"]);
    for name in ["task", "hive", "cancel", "clone"] {
        let expected = format!("`Queen::{name}`");
        refused_as(Caste::Queen, quote!(worker = B), task(name), &[&expected]);
    }
    check(Caste::Queen, quote!(worker = B), task("spawn"), &[]);
}

refused! { what_is_no_bee_is_refused:
    () { impl A { fn f(&self) {} } } "mark the tasks"
    () { impl<T> A<T> { #[task] fn f(&self) {} } } "can't be generic"
    () { impl A<u8> { #[task] fn f(&self) {} } } "can't be generic"
    () { impl B for A { #[task] fn f(&self) {} } } "without a trait"
    () { impl A { fn new() {} #[task] fn f(&self) {} } } "return `Self`"
    (name = "x") { impl A { #[task] fn f(&self) {} } } "unknown argument"
}

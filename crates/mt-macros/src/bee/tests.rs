//! What blocks become, and which are refused.

use quote::quote;

use super::*;
use crate::tests::expands;

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

expands! { |arguments, item| expand(Caste::Worker, arguments, item);
    a_worker_keeps_its_block_and_gets_its_tasks:
        () {
            impl Resizer {
                fn new(cx: BeeCx, quality: u8) -> Result<Self, E> { todo() }
                /// Resizes.
                #[task]
                async fn resize(&self, cx: &TaskCx, img: Bytes, mut width: u32) -> anyhow::Result<Self> {}
                #[task]
                fn r#try(&self) {}
                fn other(&mut self) {}
            }
        }
            [async fn resize(&self, cx: &TaskCx, img: Bytes, mut width: u32) -> anyhow::Result<Self> {}]
            [fn other(&mut self) {}]
            [impl ::mt_beehive::bee::Bee for Resizer]
            [type Init = <u8 as ::mt_beehive::__private::Checked]
            [const TASKS: &'static [&'static str] = &["resize", "try"];]
            [Self::new(cx, input_0)]
            [Self::resize(&bee, &cx, input_0, input_1).await]
            [pub trait ResizerTasks]
            [#[doc = r" Resizes."] fn resize]
            [fn resize(&self, img: Bytes, width: u32) -> ::mt_beehive::Delegate<<::mt_beehive::__private::Way<{ <Resizer>::__RETURNS_OF_resize }> as ::mt_beehive::__private::Returned<anyhow::Result<Resizer>>>::Value, <::mt_beehive::__private::Way<{ <Resizer>::__RETURNS_OF_resize }> as ::mt_beehive::__private::Returned<anyhow::Result<Resizer>>>::Raised>]
            [fn r#try(&self,) -> ::mt_beehive::Delegate<<::mt_beehive::__private::Way<{ <Resizer>::__RETURNS_OF_try }> as ::mt_beehive::__private::Returned<()>>::Value, <::mt_beehive::__private::Way<{ <Resizer>::__RETURNS_OF_try }> as ::mt_beehive::__private::Returned<()>>::Raised>]
            [impl ResizerTasks for ::mt_beehive::Hive<Resizer>]
            [::mt_beehive::__private::Registration::of::<Resizer>()]
    options_name_the_trait_and_the_crate:
        (tasks = pub(crate) Does, crate = a::b) { impl my::Bee { #[task] async fn go(&self) {} } }
            [pub(crate) trait Does]
            [impl Does for a::b::Hive<my::Bee>]
            [a::b::__private::made_of_nothing::<my::Bee>()]
    a_worker_may_have_worker_bees_herself:
        (worker = Resizer) {
            impl Album {
                fn hive(&self) -> BeehiveRun<Resizer> { hive_of::<Resizer>(3) }
                #[task]
                async fn page(&self, cx: TaskCx, hive: &Hive<Resizer>, n: u8) -> u8 {}
                #[task]
                async fn cover(&self, hive: Hive<Resizer>) {}
                #[task]
                async fn title(&self) {}
            }
        }
            [fn own_hive(&self)]
            [let run: ::mt_beehive::BeehiveRun<Resizer> = Self::hive(self); run]
            [Self::page(&bee, cx, &hive, input_0).await]
            [Self::cover(&bee, hive).await]
            [Self::title(&bee).await]
            [fn page(&self, n: u8) -> ::mt_beehive::Delegate<<::mt_beehive::__private::Way<{ <Album>::__RETURNS_OF_page }> as ::mt_beehive::__private::Returned<u8>>::Value, <::mt_beehive::__private::Way<{ <Album>::__RETURNS_OF_page }> as ::mt_beehive::__private::Returned<u8>>::Raised>]
        (worker = Resizer) { impl Album { #[task] async fn f(&self, hive: &Hive<Resizer>) {} } }
            [::mt_beehive::__private::hive_of_nothing::<Resizer>()]
}

expands! { |arguments, item| expand(Caste::Queen, arguments, item);
    a_queen_has_a_hive_and_nothing_crosses:
        (worker = Resizer)
        { impl Maya { #[task] async fn all(&self, hive: &Hive<Resizer>, df: Frame) -> u8 {} } }
            [type Worker = Resizer;]
            [let input_0 = args.take::<Frame>()?;]
            [Self::all(&bee, &hive, input_0).await]
            [impl MayaTasks for ::mt_beehive::Queen<Maya>]
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

/// Case R16: mt-beehive can be used without mt-pool among the dependencies.
#[test]
fn bees_need_no_pool_among_the_dependencies() {
    let bee =
        quote! { impl A { fn new(x: u8) -> Self {} #[task] async fn f(&self, x: u8) -> u8 {} } };
    for expanded in [
        expand(Caste::Worker, quote!(), bee.clone()),
        expand(Caste::Queen, quote!(worker = B), bee),
    ] {
        let text = expanded.to_string();
        assert!(
            text.contains("mt_beehive") && !text.contains("mt_pool"),
            "{text}"
        );
    }
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
    refused_as(Caste::Queen, quote!(worker = B), task("spawn"), &[]);
}

refused! { what_is_no_bee_is_refused:
    () { impl A { fn f(&self) {} } } "mark the tasks"
    () { impl<T> A<T> { #[task] fn f(&self) {} } } "can't be generic"
    () { impl A<u8> { #[task] fn f(&self) {} } } "can't be generic"
    () { impl B for A { #[task] fn f(&self) {} } } "without a trait"
    () { impl A { fn new() {} #[task] fn f(&self) {} } } "return `Self`"
    (name = "x") { impl A { #[task] fn f(&self) {} } } "unknown argument"
}

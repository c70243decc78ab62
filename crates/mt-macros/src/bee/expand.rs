//! What makes a type a bee: the block, `impl Bee`, how it is made, and how its tasks are called.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, ItemImpl, Path, spanned::Spanned};

use super::{
    block::{BeeTask, Block},
    caste::Caste,
    options::BeeOptions,
};
use crate::call::{call, checked, described, joined, local, pattern};

/// What is written for a bee.
pub(super) struct Bee<'a> {
    pub(super) caste: Caste,
    /// The path of `mt_beehive`.
    pub(super) krate: &'a Path,
    pub(super) options: &'a BeeOptions,
    pub(super) block: &'a Block,
}

impl Bee<'_> {
    pub(super) fn expand(&self, item: &ItemImpl) -> TokenStream {
        let krate = self.krate;
        let block = self.block;
        let (ty, cfgs, name) = (&block.ty, &block.cfgs, block.ident.to_string());
        let new = block.new.as_ref();
        let init = self.carried(new.map_or(&[][..], |new| &new.params.inputs));
        let names = block.tasks.iter();
        let names = names.map(|BeeTask { name, cfgs, .. }| quote!(#(#cfgs)* #name));
        let types = self.types();
        let (returned, bee_impl, tasks) = (self.returned(), self.bee_impl(), self.tasks());
        let registration = self.registration();
        quote! {
            // generated: the user can't choose how tasks take their arguments
            #[allow(
                clippy::needless_pass_by_value,
                clippy::trivially_copy_pass_by_ref,
                clippy::unused_self,
                reason = "how a task takes its arguments is not for it to choose"
            )]
            #item

            #(#cfgs)*
            #[automatically_derived]
            impl #krate::bee::Bee for #ty {
                const NAME: &'static str = ::core::concat!(::core::module_path!(), "::", #name);
                type Init = #init;
                const TASKS: &'static [&'static str] = &[#(#names),*];
                #types
            }
            #returned
            #bee_impl
            #registration
            #tasks
        }
    }

    /// The types of a worker bee's tasks, for those who call them by name. One that can't cross is an error in the same
    /// words, and at the same place, as where it is decoded or encoded, so the compiler tells it once.
    fn types(&self) -> Option<TokenStream> {
        let krate = self.krate;
        let types = self.block.tasks.iter().map(|task| {
            let cfgs = &task.cfgs;
            let args = self.carried(&task.signature.params.inputs);
            let value = self.value(task);
            quote!(#(#cfgs)* #krate::__private::TaskTypes::of::<#args, #value>())
        });
        (self.caste == Caste::Worker).then(|| {
            quote! {
                const TYPES: &'static [#krate::__private::TaskTypes] = &[#(#types),*];
            }
        })
    }

    /// Values as one type: what a worker bee is given, and what comes from it, crosses to another process;
    /// a queen lives in this one.
    pub(super) fn carried(&self, types: &[TokenStream]) -> TokenStream {
        match self.caste {
            Caste::Worker => checked(self.krate, "crosses", types),
            Caste::Queen => joined(types),
        }
    }

    /// What a task's value crosses as.
    pub(super) fn value(&self, task: &BeeTask) -> TokenStream {
        self.carried(&[self.part(task, "Value")])
    }

    /// The type of a task's value, or of its error: a type of `Returned`.
    pub(super) fn part(&self, task: &BeeTask, part: &str) -> TokenStream {
        let (krate, returns) = (self.krate, &task.signature.returns);
        let (way, ty) = (self.way(task), &returns.ty);
        let part = Ident::new(part, returns.value_span);
        quote_spanned!(returns.value_span=> <#way as #krate::__private::Returned<#ty>>::#part)
    }

    /// The type whose `Returned` says what comes of a task, for the type that is returned.
    pub(super) fn way(&self, task: &BeeTask) -> TokenStream {
        let (krate, how) = (self.krate, self.how(&task.name));
        quote_spanned!(task.signature.returns.value_span=> #krate::__private::Way<{ #how }>)
    }

    /// The constant that says what a method returns.
    fn how(&self, method: &str) -> TokenStream {
        let (ty, name) = (&self.block.ty, how_of(method));
        quote!(<#ty>::#name)
    }

    /// What the methods return, as constants.
    fn returned(&self) -> TokenStream {
        let block = self.block;
        let (ty, cfgs) = (&block.ty, &block.cfgs);
        let new = block.new.iter();
        let new = new.map(|new| (how_of("new"), &[][..], new));
        let tasks = block.tasks.iter();
        let tasks = tasks.map(|task| (how_of(&task.name), &task.cfgs[..], &task.signature));
        let each = new.chain(tasks).map(|(name, cfgs, signature)| {
            let how = signature.returns.how(self.krate);
            quote!(#(#cfgs)* const #name: ::core::primitive::u8 = #how;)
        });
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            #[doc(hidden)]
            // generated: the names of methods are in their names
            #[allow(non_upper_case_globals, reason = "each has the name of its method")]
            impl #ty { #(#each)* }
        }
    }

    /// `impl WorkerBee`, or `impl QueenBee`.
    fn bee_impl(&self) -> TokenStream {
        let (krate, Block { ty, cfgs, .. }) = (self.krate, self.block);
        let [bee, cx, hive, name, args, called] =
            ["bee", "cx", "hive", "name", "args", "call"].map(local);
        let below = &self.options.worker;
        let (bee_trait, associated, given, given_type, args_type, call_type) = match self.caste {
            Caste::Worker => (
                quote!(WorkerBee),
                self.own_hive(),
                cx,
                quote!(TaskCx),
                quote!(Bytes),
                quote!(TaskCall),
            ),
            Caste::Queen => (
                quote!(QueenBee),
                Some(quote!(type Worker = #below;)),
                hive,
                quote!(Hive<Self::Worker>),
                quote!(QueenValue),
                quote!(QueenCall),
            ),
        };
        let make = self.make();
        let arms = self.block.tasks.iter().map(|task| self.arm(task));
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            // generated: fires for some tasks only
            #[allow(
                deprecated,
                clippy::let_unit_value,
                reason = "a deprecated method is a task nevertheless, and some tasks return nothing"
            )]
            impl #krate::bee::#bee_trait for #ty {
                #associated
                #make
                fn call(
                    self: ::std::rc::Rc<Self>,
                    #given: #krate::#given_type,
                    #name: &::core::primitive::str,
                    #args: #krate::__private::#args_type,
                ) -> ::core::option::Option<#krate::__private::#call_type> {
                    let #bee = self;
                    let _ = &#given;
                    let #called: #krate::__private::#call_type = match #name {
                        #(#arms)*
                        _ => return ::core::option::Option::None,
                    };
                    ::core::option::Option::Some(#called)
                }
            }
        }
    }

    /// A worker bee is found by its name in its process.
    fn registration(&self) -> Option<TokenStream> {
        let (krate, Block { ty, cfgs, .. }) = (self.krate, self.block);
        (self.caste == Caste::Worker).then(|| {
            quote! {
                #(#cfgs)*
                #krate::__private::inventory::submit! {
                    #krate::__private::Registration::of::<#ty>()
                }
            }
        })
    }

    /// How `call` runs a task.
    fn arm(&self, task: &BeeTask) -> TokenStream {
        let krate = self.krate;
        let BeeTask {
            ident,
            name,
            cfgs,
            signature,
            ..
        } = task;
        let [bee, cx, hive, args, value, error] =
            ["bee", "cx", "hive", "args", "value", "error"].map(local);
        let (pattern, types) = (
            pattern(&signature.params),
            self.carried(&signature.params.inputs),
        );
        let called = call(signature, &quote!(Self::#ident), Some(quote!(&#bee)));
        let (way, described) = (self.way(task), described(krate, &error));
        let value_type = self.value(task);
        let (read, written) = match self.caste {
            Caste::Worker => (
                quote!(#krate::__private::decode_args::<#types>(&#args)),
                quote!(#krate::__private::encode_value::<#value_type>(&#value)),
            ),
            Caste::Queen => (
                quote!(#args.take::<#types>()),
                quote!(::core::result::Result::Ok(
                    #krate::__private::QueenValue::new::<#value_type>(#value)
                )),
            ),
        };
        let below = self.options.worker.as_ref();
        let takes_own = self.caste == Caste::Worker && signature.params.takes("hive");
        let own_hive = below.filter(|_| takes_own).map(|below| {
            quote! {
                let #hive = ::core::result::Result::map_err(
                    #krate::TaskCx::hive::<#below>(&#cx),
                    |error| #krate::__private::no_hive(&error),
                )?;
            }
        });
        quote! {
            #(#cfgs)*
            #name => ::std::boxed::Box::pin(async move {
                #own_hive
                let #pattern = #read?;
                let #value = <#way as #krate::__private::Returned<_>>::outcome(
                    #called,
                    |#error| { #described },
                )?;
                #written
            }),
        }
    }

    /// `make`, by `new` or by `Default`.
    fn make(&self) -> TokenStream {
        let (krate, ty) = (self.krate, &self.block.ty);
        let [init, cx, error] = ["init", "cx", "error"].map(local);
        let body = match &self.block.new {
            None => {
                let made = quote_spanned!(ty.span()=> #krate::__private::made_of_nothing::<#ty>());
                quote! { let _ = (#init, #cx); ::core::result::Result::Ok(#made) }
            }
            Some(new) => {
                let pattern = pattern(&new.params);
                let called = call(new, &quote!(Self::new), None);
                let outcome = new.returns.outcome(krate, &self.how("new"), &called);
                // An error that has no text is reported at the return type.
                let described =
                    quote_spanned!(new.returns.span=> #krate::__private::not_made(&#error));
                quote! {
                    let _ = &#cx;
                    let #pattern = #init;
                    ::core::result::Result::map_err(#outcome, |#error| #described)
                }
            }
        };
        quote! {
            fn make(
                #init: Self::Init,
                #cx: #krate::BeeCx,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<Self, ::std::string::String>,
            > {
                async move { #body }
            }
        }
    }

    /// `own_hive`: as the worker bee's `hive` says, or as it is if nothing is said.
    fn own_hive(&self) -> Option<TokenStream> {
        let (krate, below) = (self.krate, self.options.worker.as_ref()?);
        let described = match &self.block.hive {
            // That it is a hive of her worker bees is checked where it says what it returns.
            Some(hive) => {
                let span = Span::call_site().located_at(hive.output.span());
                quote_spanned!(span=> { let run: #krate::BeehiveRun<#below> = Self::hive(self); run })
            }
            None => quote_spanned!(below.span()=> #krate::__private::hive_of_nothing::<#below>()),
        };
        Some(quote! {
            fn own_hive(&self) -> ::core::option::Option<#krate::__private::OwnHive> {
                ::core::option::Option::Some(#krate::__private::OwnHive::new(#described))
            }
        })
    }
}

fn how_of(method: &str) -> Ident {
    format_ident!("__RETURNS_OF_{method}")
}

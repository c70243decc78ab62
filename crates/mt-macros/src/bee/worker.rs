//! What only worker bees have: what they are given crosses to another process.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, Path, Type, spanned::Spanned};

use super::{
    block::Block,
    expand::{Call, Kind, Outcome, attributes, called, local},
};

pub(super) struct Worker<'a> {
    /// The path of `mt_beehive`.
    pub(super) krate: &'a Path,
    /// The type of her own worker bees, if she has some.
    pub(super) below: Option<&'a Type>,
}

impl Worker<'_> {
    /// `own_hive`: as her `hive` says, or as it is if nothing is said.
    fn own_hive(&self, block: &Block) -> Option<TokenStream> {
        let (krate, below) = (self.krate, self.below?);
        let described = match &block.hive {
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

impl Kind for Worker<'_> {
    /// As a task's input in `mt_pool`: that each part can cross is checked where it is written, and said once.
    fn carried(&self, whole: &TokenStream, parts: &[TokenStream]) -> TokenStream {
        let krate = self.krate;
        quote! {
            <#whole as #krate::__private::Checked<{
                #(#krate::__private::crosses::<#parts>())&*
            }>>::Type
        }
    }

    fn bee_impl(&self, block: &Block, make: &TokenStream, calls: &[Call<'_>]) -> TokenStream {
        let krate = self.krate;
        let Block { ty, cfgs, .. } = block;
        let [lead, hive, name, args, value] = ["lead", "hive", "name", "args", "value"].map(local);
        let own_hive = self.own_hive(block);
        let arms = calls.iter().map(|one| {
            let (task, task_cfgs) = (&one.task.name, &one.task.cfgs);
            let signature = &one.task.signature;
            let below = self.below.filter(|_| signature.has_lead(1));
            let started = below.map(|below| {
                quote! {
                    let #hive = ::core::result::Result::map_err(
                        #krate::TaskCx::hive::<#below>(&#lead),
                        |error| #krate::__private::no_hive(&error),
                    )?;
                }
            });
            let unused = (!signature.has_lead(0)).then(|| quote!(let _ = #lead;));
            let (pattern, types, body, value_type) =
                (&one.pattern, &one.args, &one.body, &one.value);
            quote! {
                #(#task_cfgs)*
                #task => ::std::boxed::Box::pin(async move {
                    #started
                    #unused
                    let #pattern = #krate::__private::decode_args::<#types>(&#args)?;
                    let #value = #body;
                    #krate::__private::encode_value::<#value_type>(&#value)
                }),
            }
        });
        let called = called(&quote!(#krate::__private::TaskCall), arms);
        let attributes = attributes(block);
        quote! {
            #attributes
            impl #krate::bee::WorkerBee for #ty {
                #make
                #own_hive
                fn call(
                    self: ::std::rc::Rc<Self>,
                    #lead: #krate::TaskCx,
                    #name: &::core::primitive::str,
                    #args: #krate::__private::Bytes,
                ) -> ::core::option::Option<#krate::__private::TaskCall> {
                    #called
                }
            }
            #(#cfgs)*
            #krate::__private::inventory::submit! {
                #krate::__private::Registration::of::<#ty>()
            }
        }
    }

    fn asked(&self, outcome: &Outcome) -> TokenStream {
        let krate = self.krate;
        let [value, error] = ["Value", "Raised"].map(|part| outcome.part(krate, part));
        quote!(#krate::Delegate<#value, #error>)
    }

    fn asks(&self, block: &Block) -> TokenStream {
        let (krate, ty) = (self.krate, &block.ty);
        quote!(#krate::Hive<#ty>)
    }

    fn ask(&self, name: &str, args: &Ident, value: &TokenStream, outcome: &Outcome) -> TokenStream {
        let krate = self.krate;
        let Outcome { way, returned, .. } = outcome;
        quote!(#krate::Hive::__delegate::<#value, #way, #returned>(self, #name, #args))
    }
}

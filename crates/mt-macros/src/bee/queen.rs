//! What only queens have: they live in this process, so what they are given does not cross, and they have a
//! hive.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Path, Type};

use super::{
    block::Block,
    expand::{Call, Kind, Outcome, attributes, called, local},
};

pub(super) struct Queen<'a> {
    /// The path of `mt_beehive`.
    pub(super) krate: &'a Path,
    /// The type of her worker bees.
    pub(super) worker: &'a Type,
}

impl Kind for Queen<'_> {
    fn carried(&self, whole: &TokenStream, _: &[TokenStream]) -> TokenStream {
        whole.clone()
    }

    fn bee_impl(&self, block: &Block, make: &TokenStream, calls: &[Call<'_>]) -> TokenStream {
        let (krate, worker) = (self.krate, self.worker);
        let ty = &block.ty;
        let [lead, name, args, value] = ["lead", "name", "args", "value"].map(local);
        let arms = calls.iter().map(|one| {
            let (task, task_cfgs) = (&one.task.name, &one.task.cfgs);
            let unused = (!one.task.signature.has_lead(0)).then(|| quote!(let _ = #lead;));
            let (pattern, types, body, value_type) =
                (&one.pattern, &one.args, &one.body, &one.value);
            quote! {
                #(#task_cfgs)*
                #task => ::std::boxed::Box::pin(async move {
                    #unused
                    let #pattern = #args.take::<#types>()?;
                    let #value: #value_type = #body;
                    ::core::result::Result::Ok(#krate::__private::QueenValue::new(#value))
                }),
            }
        });
        let called = called(&quote!(#krate::__private::QueenCall), arms);
        let attributes = attributes(block);
        quote! {
            #attributes
            impl #krate::bee::QueenBee for #ty {
                type Worker = #worker;
                #make
                fn call(
                    self: ::std::rc::Rc<Self>,
                    #lead: #krate::Hive<Self::Worker>,
                    #name: &::core::primitive::str,
                    #args: #krate::__private::QueenValue,
                ) -> ::core::option::Option<#krate::__private::QueenCall> {
                    #called
                }
            }
        }
    }

    fn asked(&self, outcome: &Outcome) -> TokenStream {
        let krate = self.krate;
        let value = outcome.part(krate, "Value");
        quote!(#krate::run::QueenTask<#value>)
    }

    fn asks(&self, block: &Block) -> TokenStream {
        let (krate, ty) = (self.krate, &block.ty);
        quote!(#krate::Queen<#ty>)
    }

    fn ask(&self, name: &str, args: &Ident, value: &TokenStream, _: &Outcome) -> TokenStream {
        let krate = self.krate;
        quote!(#krate::Queen::task::<#value>(self, #name, #args))
    }
}

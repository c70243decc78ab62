//! The trait by which a bee's tasks are asked for, and its impl.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Visibility, parse_quote};

use super::{block::BeeTask, caste::Caste, expand::Bee};
use crate::call::{joined, local};

impl Bee<'_> {
    pub(super) fn tasks(&self) -> TokenStream {
        let (krate, block) = (self.krate, self.block);
        let (ty, cfgs) = (&block.ty, &block.cfgs);
        let (vis, name): (Visibility, Ident) = match &self.options.tasks {
            None => (parse_quote!(pub), format_ident!("{}Tasks", block.ident)),
            Some((Visibility::Inherited, name)) => (parse_quote!(pub), name.clone()),
            Some((vis, name)) => (vis.clone(), name.clone()),
        };
        let asked = match self.caste {
            Caste::Worker => quote!(#krate::Hive<#ty>),
            Caste::Queen => quote!(#krate::Queen<#ty>),
        };
        let heads: Vec<TokenStream> = block.tasks.iter().map(|task| self.head(task)).collect();
        let bodies = block.tasks.iter().map(|task| self.body(task));
        let docs = block.tasks.iter().map(docs);
        let conditions: Vec<_> = block.tasks.iter().map(|task| &task.cfgs).collect();
        let about = format!("The tasks of [`{}`], to be asked for.", block.ident);
        quote! {
            #(#cfgs)*
            #[doc = #about]
            // generated: the visibility of the type is not known here
            #[allow(
                dead_code,
                private_interfaces,
                unreachable_pub,
                clippy::too_many_arguments,
                reason = "it has the arguments and the types of the tasks"
            )]
            #vis trait #name {
                #(#docs #(#conditions)* #heads;)*
            }
            #(#cfgs)*
            #[automatically_derived]
            impl #name for #asked {
                #(#(#conditions)* #heads { #bodies })*
            }
        }
    }

    fn head(&self, task: &BeeTask) -> TokenStream {
        let (krate, ident, params) = (self.krate, &task.ident, &task.signature.params);
        let (names, types) = (&params.names, &params.inputs);
        let value = self.part(task, "Value");
        let answer = match self.caste {
            Caste::Worker => {
                let error = self.part(task, "Raised");
                quote!(#krate::Delegate<#value, #error>)
            }
            Caste::Queen => quote!(#krate::run::QueenTask<#value>),
        };
        quote!(fn #ident(&self, #(#names: #types),*) -> #answer)
    }

    fn body(&self, task: &BeeTask) -> TokenStream {
        let (krate, params) = (self.krate, &task.signature.params);
        let (name, args) = (&task.name, local("args"));
        let (ty, values) = (self.carried(&params.inputs), joined(&params.names));
        let value = self.value(task);
        let ask = match self.caste {
            Caste::Worker => {
                let (way, returned) = (self.way(task), &task.signature.returns.ty);
                quote!(Hive::__delegate::<#value, #way, #returned>)
            }
            Caste::Queen => quote!(Queen::task::<#value>),
        };
        quote!(let #args: #ty = #values; #krate::#ask(self, #name, #args))
    }
}

fn docs(task: &BeeTask) -> TokenStream {
    let docs = &task.docs;
    if docs.is_empty() {
        let text = format!("Asks for the task `{}`.", task.name);
        return quote!(#[doc = #text]);
    }
    quote!(#(#docs)*)
}

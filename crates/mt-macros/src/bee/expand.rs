//! What both kinds of bees have: the block, `impl Bee`, how she is made, and her tasks as a trait.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, ItemImpl, Path, Visibility, parse_quote, spanned::Spanned};

use super::{
    Caste,
    block::{BeeTask, Block},
    options::BeeOptions,
    params::{Lead, Params},
    queen::Queen,
    signature::MethodSignature,
    worker::Worker,
};

/// What one kind of bees has otherwise than the other.
pub(super) trait Kind {
    /// `whole` as the type of a value that is given to a bee or comes from her.
    fn carried(&self, whole: &TokenStream, parts: &[TokenStream]) -> TokenStream;

    /// `impl WorkerBee` or `impl QueenBee`, with these functions in it.
    fn bee_impl(&self, block: &Block, make: &TokenStream, calls: &[Call]) -> TokenStream;

    /// What stands for a task that was asked for.
    fn asked(&self, outcome: &Outcome) -> TokenStream;

    /// The type whose methods ask for tasks.
    fn asks(&self, block: &Block) -> TokenStream;

    /// Asks for a task: `args` is a variable, `value` the type of its value.
    fn ask(&self, name: &str, args: &Ident, value: &TokenStream, outcome: &Outcome) -> TokenStream;
}

/// What comes of a task.
pub(super) struct Outcome {
    /// The type whose `Returned` says so, for the type that is returned.
    pub(super) way: TokenStream,
    pub(super) returned: TokenStream,
    /// Where the value is written.
    span: Span,
}

impl Outcome {
    fn of(krate: &Path, block: &Block, task: &BeeTask) -> Self {
        let how = how(block, &task.name);
        let (way, returned) = task.signature.returns.way(krate, &how);
        Self {
            way,
            returned: block.without_self(returned),
            span: task.signature.returns.value_span,
        }
    }

    /// The type of its value, or of its error: a type of `Returned`.
    pub(super) fn part(&self, krate: &Path, part: &str) -> TokenStream {
        let (way, returned, part) = (&self.way, &self.returned, Ident::new(part, self.span));
        quote_spanned!(self.span=> <#way as #krate::__private::Returned<#returned>>::#part)
    }
}

/// One task as `call` runs it.
pub(super) struct Call<'a> {
    pub(super) task: &'a BeeTask,
    /// A pattern for its arguments, and their type.
    pub(super) pattern: TokenStream,
    pub(super) args: TokenStream,
    /// The value's type.
    pub(super) value: TokenStream,
    /// The value, or `?` with what was raised.
    pub(super) body: TokenStream,
}

pub(super) fn bee(
    caste: Caste,
    options: &BeeOptions,
    item: &ItemImpl,
    block: &Block,
) -> TokenStream {
    let krate = &options.krate;
    match (caste, &options.worker) {
        (Caste::Queen, Some(worker)) => written(&Queen { krate, worker }, options, item, block),
        (_, below) => {
            let below = below.as_ref();
            written(&Worker { krate, below }, options, item, block)
        }
    }
}

fn written(kind: &impl Kind, options: &BeeOptions, item: &ItemImpl, block: &Block) -> TokenStream {
    let krate = &options.krate;
    let Block { ty, cfgs, .. } = block;
    let name = block.ident.to_string();
    let init = block.new.as_ref().map(|new| &new.params);
    let init = init.map_or_else(|| quote!(()), |params| carried(kind, block, params));
    let each = block.tasks.iter();
    let names = each.map(|BeeTask { name, cfgs, .. }| quote!(#(#cfgs)* #name));
    let calls: Vec<Call<'_>> = block
        .tasks
        .iter()
        .map(|t| call(krate, kind, block, t))
        .collect();
    let bee_impl = kind.bee_impl(block, &make(krate, block), &calls);
    let tasks = tasks(kind, options, block);
    let returned = all_returned(krate, block);
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
        }
        #returned
        #bee_impl
        #tasks
    }
}

/// The values that cross, as one type.
fn carried(kind: &impl Kind, block: &Block, params: &Params) -> TokenStream {
    let types: Vec<TokenStream> = params
        .types
        .iter()
        .map(|ty| block.without_self(ty.to_token_stream()))
        .collect();
    match types.as_slice() {
        [] => quote!(()),
        [one] => kind.carried(one, &types),
        _ => kind.carried(&quote!((#(#types),*)), &types),
    }
}

/// Variables for the values, invisible to the user's code.
fn locals(params: &Params) -> Vec<Ident> {
    (0..params.types.len())
        .map(|index| format_ident!("value_{}", index, span = Span::mixed_site()))
        .collect()
}

/// The values as one: nothing, the only one, or a tuple.
fn joined(idents: &[Ident]) -> TokenStream {
    match idents {
        [one] => one.to_token_stream(),
        several => quote!((#(#several),*)),
    }
}

pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The first arguments, from the variables that have them.
fn leads(params: &Params, variables: &[Ident]) -> TokenStream {
    let each = params.leads.iter().zip(variables);
    each.map(|(lead, variable)| match lead {
        Lead::None => quote!(),
        Lead::Value => quote!(#variable,),
        Lead::Reference => quote!(&#variable,),
    })
    .collect()
}

/// `make`, by `new` or by `Default`.
fn make(krate: &Path, block: &Block) -> TokenStream {
    let (init, cx) = (local("init"), local("cx"));
    let ty = &block.ty;
    let body = match &block.new {
        None => {
            let made = quote_spanned!(ty.span()=> #krate::__private::made_of_nothing::<#ty>());
            quote! { let _ = (#init, #cx); ::core::result::Result::Ok(#made) }
        }
        Some(new) => {
            let values = locals(&new.params);
            let pattern = joined(&values);
            let first = leads(&new.params, std::slice::from_ref(&cx));
            let unused = (!new.has_lead(0)).then(|| quote!(let _ = #cx;));
            let called = waited(new, &quote!(Self::new(#first #(#values),*)));
            let made = fallible(
                krate,
                block,
                ("new", new),
                &called,
                &quote!(#krate::__private::not_made),
            );
            quote! { #unused let #pattern = #init; #made }
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

fn waited(method: &MethodSignature, called: &TokenStream) -> TokenStream {
    let wait = method.is_async.then(|| quote!(.await));
    quote!(#called #wait)
}

/// A call as a `Result` of what `describe` makes of its error.
fn fallible(
    krate: &Path,
    block: &Block,
    (name, method): (&str, &MethodSignature),
    called: &TokenStream,
    describe: &TokenStream,
) -> TokenStream {
    let error = local("error");
    let outcome = method.returns.outcome(krate, &how(block, name), called);
    // An error that has no text is reported at the return type.
    let described = quote_spanned!(method.returns.span=> #describe(&#error));
    quote!(::core::result::Result::map_err(#outcome, |#error| #described))
}

/// The constant that says what a method returns.
fn how(block: &Block, name: &str) -> TokenStream {
    let (ty, name) = (&block.ty, returned(name));
    quote!(<#ty>::#name)
}

fn returned(name: &str) -> Ident {
    format_ident!("__RETURNS_OF_{name}")
}

/// What the methods return, as constants.
fn all_returned(krate: &Path, block: &Block) -> TokenStream {
    let (ty, cfgs) = (&block.ty, &block.cfgs);
    let tasks = block.tasks.iter().map(|task| {
        let (name, how, cfgs) = (
            returned(&task.name),
            task.signature.returns.how(krate),
            &task.cfgs,
        );
        quote!(#(#cfgs)* const #name: ::core::primitive::u8 = #how;)
    });
    let new = block.new.iter().map(|new| {
        let (name, how) = (returned("new"), new.returns.how(krate));
        quote!(const #name: ::core::primitive::u8 = #how;)
    });
    let each = block.without_self(new.chain(tasks).collect());
    quote! {
        #(#cfgs)*
        #[automatically_derived]
        #[doc(hidden)]
        // generated: the names of methods are in their names
        #[allow(non_upper_case_globals, reason = "each has the name of its method")]
        impl #ty { #each }
    }
}

fn call<'a>(krate: &Path, kind: &impl Kind, block: &Block, task: &'a BeeTask) -> Call<'a> {
    let BeeTask {
        ident, signature, ..
    } = task;
    let values = locals(&signature.params);
    let first = leads(&signature.params, &["lead", "hive"].map(local));
    let bee = local("bee");
    let called = waited(signature, &quote!(Self::#ident(&#bee, #first #(#values),*)));
    let outcome = Outcome::of(krate, block, task);
    let (way, error) = (&outcome.way, local("error"));
    let value = outcome.part(krate, "Value");
    let result = quote! {
        <#way as #krate::__private::Returned<_>>::outcome(#called, |#error| {
            // generated: the best that the error's type has
            #[allow(unused_imports, reason = "which of them is used depends on the error's type")]
            use #krate::__private::{ByDebug as _, ByDisplay as _, ByName as _};
            (&&&#krate::__private::Describe(#error)).describe()
        })
    };
    Call {
        task,
        pattern: joined(&values),
        args: carried(kind, block, &signature.params),
        value: kind.carried(&value, std::slice::from_ref(&value)),
        body: quote!(#result?),
    }
}

/// The trait with the tasks, and its impl.
fn tasks(kind: &impl Kind, options: &BeeOptions, block: &Block) -> TokenStream {
    let (krate, cfgs) = (&options.krate, &block.cfgs);
    let (vis, name): (Visibility, Ident) = match &options.tasks {
        None => (parse_quote!(pub), format_ident!("{}Tasks", block.ident)),
        Some((Visibility::Inherited, name)) => (parse_quote!(pub), name.clone()),
        Some((vis, name)) => (vis.clone(), name.clone()),
    };
    let asks = kind.asks(block);
    let heads: Vec<TokenStream> = block
        .tasks
        .iter()
        .map(|t| head(krate, kind, block, t))
        .collect();
    let bodies = block
        .tasks
        .iter()
        .map(|task| body(krate, kind, block, task));
    let each = block.tasks.iter();
    let (docs, conditions): (Vec<_>, Vec<_>) = each.map(|t| (docs(t), &t.cfgs)).unzip();
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
        impl #name for #asks {
            #(#(#conditions)* #heads { #bodies })*
        }
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

fn head(krate: &Path, kind: &impl Kind, block: &Block, task: &BeeTask) -> TokenStream {
    let BeeTask {
        ident, signature, ..
    } = task;
    let types = signature.params.types.iter();
    let types = types.map(|ty| block.without_self(ty.to_token_stream()));
    let names = &signature.params.idents;
    let asked = kind.asked(&Outcome::of(krate, block, task));
    quote!(fn #ident(&self, #(#names: #types),*) -> #asked)
}

fn body(krate: &Path, kind: &impl Kind, block: &Block, task: &BeeTask) -> TokenStream {
    let signature = &task.signature;
    let args = local("args");
    let ty = carried(kind, block, &signature.params);
    let values = joined(&signature.params.idents);
    let outcome = Outcome::of(krate, block, task);
    let value = outcome.part(krate, "Value");
    let value = kind.carried(&value, std::slice::from_ref(&value));
    let ask = kind.ask(&task.name, &args, &value, &outcome);
    quote!(let #args: #ty = #values; #ask)
}

/// The attributes of an `impl` that calls the block's methods.
pub(super) fn attributes(block: &Block) -> TokenStream {
    let cfgs = &block.cfgs;
    quote! {
        #(#cfgs)*
        #[automatically_derived]
        // generated: fires for some tasks only
        #[allow(
            deprecated,
            clippy::let_unit_value,
            reason = "a deprecated method is a task nevertheless, and some tasks return nothing"
        )]
    }
}

/// The body of `call`: the arm of the task that was named, of this type; none if there is no such task.
pub(super) fn called(ty: &TokenStream, arms: impl Iterator<Item = TokenStream>) -> TokenStream {
    let [bee, name, call] = ["bee", "name", "call"].map(local);
    quote! {
        let #bee = self;
        let #call: #ty = match #name {
            #(#arms)*
            _ => return ::core::option::Option::None,
        };
        ::core::option::Option::Some(#call)
    }
}

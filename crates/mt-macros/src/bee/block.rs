//! The `impl` block of a bee: its type, its tasks, and how it is made.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Ident, ImplItem, ImplItemFn, ItemImpl, ReturnType, Type, ext::IdentExt};

use super::{Caste, signature::MethodSignature};
use crate::{errors::Errors, owned};

/// What a block says.
pub(super) struct Block {
    pub(super) ty: Type,
    /// The type's name.
    pub(super) ident: Ident,
    /// The `#[cfg]`s of the block.
    pub(super) cfgs: Vec<Attribute>,
    pub(super) tasks: Vec<BeeTask>,
    pub(super) new: Option<MethodSignature>,
    /// The method `hive`, if there is one.
    pub(super) hive: Option<HiveMethod>,
}

/// A method `hive(&self)`, which describes the hive of a worker bee's own.
pub(super) struct HiveMethod {
    pub(super) ident: Ident,
    pub(super) output: ReturnType,
    /// Whether it can be called with nothing but the bee.
    pub(super) is_plain: bool,
}

/// A method marked `#[task]`.
pub(super) struct BeeTask {
    pub(super) ident: Ident,
    /// What it is called on the wire.
    pub(super) name: String,
    pub(super) cfgs: Vec<Attribute>,
    pub(super) docs: Vec<Attribute>,
    pub(super) signature: MethodSignature,
}

impl Block {
    /// Reads a block, and removes the marks of its tasks.
    pub(super) fn take(caste: Caste, item: &mut ItemImpl) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let ident = errors.take(type_name(caste, item));
        let mut tasks: Vec<BeeTask> = Vec::new();
        let mut new = None;
        let mut hive = None;
        for method in item.items.iter_mut().filter_map(method) {
            let is_task = match take_mark(&mut method.attrs) {
                Ok(is_task) => is_task,
                Err(error) => {
                    errors.add(error);
                    true
                }
            };
            if is_task && let Some(task) = errors.take(BeeTask::read(caste, method)) {
                refuse_second(&tasks, &task, &mut errors);
                tasks.push(task);
            } else if !is_task && method.sig.ident == "new" && method.sig.receiver().is_none() {
                new = errors.take(read_new(method));
            } else if !is_task && method.sig.ident == "hive" && method.sig.receiver().is_some() {
                hive = Some(HiveMethod::read(method));
            }
        }
        let result = errors.finish();
        refuse_none(caste, item, &tasks, result)?;
        Ok(Self {
            ty: item.self_ty.as_ref().clone(),
            ident: ident.expect("a type without a name is an error"),
            cfgs: only(&item.attrs, "cfg"),
            tasks,
            new,
            hive,
        })
    }

    /// `tokens` with the type's name for `Self`, for use outside its `impl`.
    pub(super) fn without_self(&self, tokens: TokenStream) -> TokenStream {
        let each = tokens.into_iter().map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let ty = &self.ty;
                quote!(#ty)
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), self.without_self(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner).into_token_stream()
            }
            other => other.into_token_stream(),
        });
        each.collect()
    }
}

impl HiveMethod {
    fn read(method: &ImplItemFn) -> Self {
        let sig = &method.sig;
        Self {
            ident: sig.ident.clone(),
            output: sig.output.clone(),
            is_plain: sig.inputs.len() == 1 && sig.asyncness.is_none(),
        }
    }
}

impl BeeTask {
    fn read(caste: Caste, method: &ImplItemFn) -> syn::Result<Self> {
        let ident = method.sig.ident.clone();
        Ok(Self {
            name: ident.unraw().to_string(),
            ident,
            cfgs: only(&method.attrs, "cfg"),
            docs: only(&method.attrs, "doc"),
            signature: MethodSignature::task(caste, &method.sig)?,
        })
    }
}

fn method(item: &mut ImplItem) -> Option<&mut ImplItemFn> {
    match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    }
}

fn only(attrs: &[Attribute], name: &str) -> Vec<Attribute> {
    let named = attrs.iter().filter(|attr| attr.path().is_ident(name));
    named.cloned().collect()
}

/// Whether there is a `#[task]`, which is removed.
fn take_mark(attrs: &mut Vec<Attribute>) -> syn::Result<bool> {
    let mut marks = attrs.extract_if(.., |attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|segment| segment.ident == "task")
    });
    let Some(mark) = marks.next() else {
        return Ok(false);
    };
    mark.meta.require_path_only()?;
    match marks.next() {
        Some(second) => Err(syn::Error::new_spanned(second, "`#[task]` is there twice")),
        None => Ok(true),
    }
}

fn type_name(caste: Caste, item: &ItemImpl) -> syn::Result<Ident> {
    let attribute = caste.attribute();
    if let Some((path, _)) = &item.trait_ {
        return Err(syn::Error::new_spanned(
            path,
            format!("`{attribute}` goes on an `impl Type {{ … }}` block without a trait"),
        ));
    }
    if !item.generics.params.is_empty() {
        return Err(generic(&item.generics));
    }
    let named = match owned::peel(&item.self_ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    };
    match named {
        Some(last) if last.arguments.is_none() => Ok(last.ident.clone()),
        Some(last) => Err(generic(&last.arguments)),
        None => Err(syn::Error::new_spanned(
            &item.self_ty,
            "a bee is a struct or an enum of yours: give its name",
        )),
    }
}

fn generic(tokens: &impl ToTokens) -> syn::Error {
    syn::Error::new_spanned(
        tokens,
        "a bee can't be generic, because its process finds it by name: write one type for each case, \
         around the generic one",
    )
}

fn read_new(method: &ImplItemFn) -> syn::Result<MethodSignature> {
    if let Some(cfg) = only(&method.attrs, "cfg").first() {
        return Err(syn::Error::new_spanned(
            cfg,
            "the callers must know what a bee is made of: put the `#[cfg]` inside `new`",
        ));
    }
    MethodSignature::new(&method.sig)
}

/// Two tasks of one name, unless the compiler is to choose.
fn refuse_second(tasks: &[BeeTask], task: &BeeTask, errors: &mut Errors) {
    let is_second = |other: &&BeeTask| other.name == task.name;
    if task.cfgs.is_empty()
        && tasks
            .iter()
            .any(|other| is_second(&other) && other.cfgs.is_empty())
    {
        errors.push(
            &task.ident,
            "a bee has one task of a name: name this one otherwise",
        );
    }
}

fn refuse_none(
    caste: Caste,
    item: &ItemImpl,
    tasks: &[BeeTask],
    result: syn::Result<()>,
) -> syn::Result<()> {
    result?;
    if tasks.is_empty() {
        let what = match caste {
            Caste::Worker => "there is nothing to delegate to this bee",
            Caste::Queen => "there is nothing this queen can do",
        };
        return Err(syn::Error::new_spanned(
            &item.self_ty,
            format!("{what}: mark the tasks, `#[task] async fn name(&self, …)`"),
        ));
    }
    Ok(())
}

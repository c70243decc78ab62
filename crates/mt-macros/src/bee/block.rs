//! The `impl` block of a bee: its type, its tasks, and how it is made.

use quote::ToTokens;
use syn::{Attribute, Ident, ImplItem, ImplItemFn, ItemImpl, Signature, Type, ext::IdentExt};

use super::{caste::Caste, method};
use crate::{
    attributes::{named, take_mark},
    errors::Errors,
    owned,
    signature::TaskSignature,
};

/// What a block says.
pub(super) struct Block {
    pub(super) ty: Type,
    /// The type's name.
    pub(super) ident: Ident,
    /// The `#[cfg]`s of the block.
    pub(super) cfgs: Vec<Attribute>,
    pub(super) tasks: Vec<BeeTask>,
    pub(super) new: Option<TaskSignature>,
    /// The method `hive(&self)`, which describes the hive of a worker bee's own.
    pub(super) hive: Option<Signature>,
}

/// A method marked `#[task]`.
pub(super) struct BeeTask {
    pub(super) ident: Ident,
    /// What it is called on the wire.
    pub(super) name: String,
    pub(super) cfgs: Vec<Attribute>,
    pub(super) docs: Vec<Attribute>,
    pub(super) signature: TaskSignature,
}

impl Block {
    /// Reads a block, and removes the marks of its tasks.
    pub(super) fn take(caste: Caste, item: &mut ItemImpl) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let ident = errors.take(type_name(caste, item));
        let ty = item.self_ty.as_ref().clone();
        let mut tasks: Vec<BeeTask> = Vec::new();
        let (mut new, mut hive) = (None, None);
        for method in item.items.iter_mut().filter_map(method) {
            let mark = take_mark(
                &mut method.attrs,
                |attr| matches!(attr.path().segments.last(), Some(last) if last.ident == "task"),
                "`#[task]` is there twice",
            );
            // One that is marked wrongly is a task.
            let is_task = !matches!(errors.take(mark), Some(None));
            let (sig, has_self) = (&method.sig, method.sig.receiver().is_some());
            if is_task && let Some(task) = errors.take(BeeTask::read(caste, method, &ty)) {
                refuse_second(&tasks, &task, &mut errors);
                tasks.push(task);
            } else if !is_task && sig.ident == "new" && !has_self {
                new = errors.take(read_new(method, &ty));
            } else if !is_task && sig.ident == "hive" && has_self {
                hive = Some(sig.clone());
            }
        }
        errors.finish()?;
        if tasks.is_empty() {
            let what = match caste {
                Caste::Worker => "there is nothing to delegate to this bee",
                Caste::Queen => "there is nothing this queen can do",
            };
            let message = format!("{what}: mark the tasks, `#[task] async fn name(&self, …)`");
            return Err(syn::Error::new_spanned(ty, message));
        }
        Ok(Self {
            ty,
            ident: ident.expect("a type without a name is an error"),
            cfgs: named(&item.attrs, "cfg"),
            tasks,
            new,
            hive,
        })
    }
}

impl BeeTask {
    fn read(caste: Caste, method: &ImplItemFn, ty: &Type) -> syn::Result<Self> {
        let ident = method.sig.ident.clone();
        Ok(Self {
            name: ident.unraw().to_string(),
            ident,
            cfgs: named(&method.attrs, "cfg"),
            docs: named(&method.attrs, "doc"),
            signature: method::task(caste, &method::without_self(&method.sig, ty))?,
        })
    }
}

fn method(item: &mut ImplItem) -> Option<&mut ImplItemFn> {
    match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
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

fn read_new(method: &ImplItemFn, ty: &Type) -> syn::Result<TaskSignature> {
    match named(&method.attrs, "cfg").first() {
        None => method::new(&method::without_self(&method.sig, ty)),
        Some(cfg) => Err(syn::Error::new_spanned(
            cfg,
            "the callers must know what a bee is made of: put the `#[cfg]` inside `new`",
        )),
    }
}

/// Refuses two tasks of one name, unless the compiler is to choose.
fn refuse_second(tasks: &[BeeTask], task: &BeeTask, errors: &mut Errors) {
    let always = |task: &BeeTask| task.cfgs.is_empty();
    let is_first = |other: &BeeTask| other.name == task.name && always(other);
    errors.refuse(
        (always(task) && tasks.iter().any(is_first)).then_some(&task.ident),
        "a bee has one task of a name: name this one otherwise",
    );
}

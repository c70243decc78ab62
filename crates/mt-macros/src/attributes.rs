//! The attributes of functions, methods and parameters.

use syn::Attribute;

/// The attributes of this name.
pub(crate) fn named(attrs: &[Attribute], name: &str) -> Vec<Attribute> {
    let named = attrs.iter().filter(|attr| attr.path().is_ident(name));
    named.cloned().collect()
}

/// Removes the mark, of which there is at most one and which has no arguments; `twice` says so.
pub(crate) fn take_mark(
    attrs: &mut Vec<Attribute>,
    is_mark: impl Fn(&Attribute) -> bool,
    twice: &str,
) -> syn::Result<Option<Attribute>> {
    let marks: Vec<Attribute> = attrs.extract_if(.., |attr| is_mark(attr)).collect();
    for mark in &marks {
        mark.meta.require_path_only()?;
    }
    match marks.get(1) {
        Some(second) => Err(syn::Error::new_spanned(second, twice)),
        None => Ok(marks.into_iter().next()),
    }
}

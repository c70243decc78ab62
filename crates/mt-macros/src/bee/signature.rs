//! The signatures of a bee's methods: her tasks and `new`. What can't be delegated is refused here.

use syn::{ReceiverKind, ReturnType, Signature};

use super::{
    Caste,
    params::{Lead, Params},
};
use crate::{
    errors::Errors,
    returns::Returns,
    signature::{refuse_generics, refuse_qualifiers},
};

/// What a worker bee's task can't be called, because its hive has a method of that name.
const TAKEN: [&str; 7] = [
    "delegate",
    "spawn",
    "bury",
    "bees",
    "stats",
    "interrupted",
    "clone",
];
/// What a queen's task can't be called, because `Queen` has a method of that name.
const TAKEN_BY_QUEEN: [&str; 4] = ["task", "hive", "cancel", "clone"];
/// What no task can be called, because a running hive has a method of that name.
const SHUTDOWN: &str = "shutdown";
/// The task that every worker bee has.
const BUSY_STATUS: &str = "busy_status";

/// A method, by what calls it.
pub(super) struct MethodSignature {
    pub(super) is_async: bool,
    pub(super) params: Params,
    pub(super) returns: Returns,
}

impl MethodSignature {
    /// Reads the signature of a task.
    pub(super) fn task(caste: Caste, sig: &Signature) -> syn::Result<Self> {
        let mut errors = Errors::default();
        refuse_receiver(sig, &mut errors);
        refuse_name(caste, sig, &mut errors);
        Self::parse(sig, caste.leads(), errors)
    }

    /// Reads the signature of `new`.
    pub(super) fn new(sig: &Signature) -> syn::Result<Self> {
        let mut errors = Errors::default();
        if let ReturnType::Default = sig.output {
            errors.push(
                &sig.ident,
                "`new` makes the bee: let it return `Self` or `Result<Self, E>`",
            );
        }
        Self::parse(sig, &["BeeCx"], errors)
    }

    fn parse(sig: &Signature, leads: &[&str], mut errors: Errors) -> syn::Result<Self> {
        refuse_generics(sig, &mut errors);
        refuse_qualifiers(sig, &mut errors);
        let params = errors.take(Params::parse(sig, leads));
        let returns = errors.take(Returns::parse(&sig.output));
        errors.finish()?;
        let (Some(params), Some(returns)) = (params, returns) else {
            unreachable!("what was not parsed is an error");
        };
        Ok(Self {
            is_async: sig.asyncness.is_some(),
            params,
            returns,
        })
    }

    /// Whether it takes the argument that does not cross, of those there may be.
    pub(super) fn has_lead(&self, which: usize) -> bool {
        let lead = self.params.leads.get(which);
        lead.is_some_and(|lead| *lead != Lead::None)
    }
}

fn refuse_receiver(sig: &Signature, errors: &mut Errors) {
    let Some(receiver) = sig.receiver() else {
        return errors.push(
            &sig.ident,
            "a task is a method of its bee: take `&self` first, then what is delegated",
        );
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => errors.push(
            receiver,
            "a bee does many tasks at once: take `&self`, and keep what changes in a `Cell`, a `RefCell` \
             or an async lock",
        ),
        _ => errors.push(receiver, "a task borrows its bee: take `&self`"),
    }
}

fn refuse_name(caste: Caste, sig: &Signature, errors: &mut Errors) {
    let (asked, taken) = match caste {
        Caste::Queen => ("Queen", TAKEN_BY_QUEEN.as_slice()),
        Caste::Worker => ("Hive", TAKEN.as_slice()),
    };
    if caste == Caste::Worker && sig.ident == BUSY_STATUS {
        errors.push(
            &sig.ident,
            "every worker bee has a task `busy_status`, answered while it works: name this one otherwise",
        );
    } else if sig.ident == SHUTDOWN || taken.iter().any(|taken| sig.ident == taken) {
        let name = &sig.ident;
        let asked = if name == SHUTDOWN {
            "RunningHive"
        } else {
            asked
        };
        errors.push(
            name,
            &format!(
                "`{asked}::{name}` would hide this task from whoever asks for it: name it otherwise"
            ),
        );
    }
}

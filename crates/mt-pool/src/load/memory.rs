//! The memory that is nearest to its limit: the machine's, or that of a control group.

use super::{figures, usage::Memory};

/// The memory of this machine, or of the control group that is nearer to its limit; `None` where the
/// system does not tell.
pub(crate) fn memory() -> Option<Memory> {
    let machine = figures::machine_memory();
    #[cfg(target_os = "linux")]
    let machine = machine.into_iter().chain(super::groups::of_this_process());
    machine
        .into_iter()
        .max_by(|a, b| a.fraction().total_cmp(&b.fraction()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_is_a_part_of_the_limit() {
        let memory = |used, limit| Memory::new(used, limit).map(|memory| memory.fraction());
        assert_eq!(memory(1, 4), Some(0.25));
        assert_eq!(memory(5, 4), Some(1.0));
        assert_eq!(memory(5, 0), None);
    }

    #[test]
    fn this_machine_has_some() {
        let memory = memory().expect("the systems that tests run on tell");
        assert!(memory.used_bytes > 0 && memory.used_bytes <= memory.limit_bytes);
    }
}

//! The statuses that Windows ends processes with, as an exit code.

/// What a status is called; `None` of a code that a program has chosen itself.
pub(crate) fn code_name(code: i32) -> Option<&'static str> {
    Some(match code.cast_unsigned() {
        0x8000_0003 => "breakpoint",
        0x8000_0004 => "single step",
        0xC000_0005 => "access violation",
        0xC000_0006 => "in-page error",
        0xC000_0008 => "invalid handle",
        0xC000_0017 => "no memory",
        0xC000_001D => "illegal instruction",
        0xC000_0025 => "noncontinuable exception",
        0xC000_008C => "array bounds exceeded",
        0xC000_008E => "float divided by zero",
        0xC000_0094 => "integer divided by zero",
        0xC000_0095 => "integer overflow",
        0xC000_0096 => "privileged instruction",
        0xC000_00FD => "stack overflow",
        0xC000_0135 => "a library was not found",
        0xC000_0139 => "an entry point was not found",
        0xC000_013A => "Ctrl-C",
        0xC000_0142 => "a library failed to start",
        0xC000_0374 => "heap corruption",
        0xC000_0409 => "abort, or a stack that was overrun",
        0xC000_0420 => "assertion failure",
        0xE06D_7363 => "C++ exception",
        0xC000_0000.. => "an error of the system's",
        _ => return None,
    })
}

/// Whether a code tells that a console has ended the process.
pub(crate) fn is_end_by_console(code: i32) -> bool {
    code.cast_unsigned() == 0xC000_013A
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_chooses_has_no_name() {
        for code in [0, 1, 70, 101, 255, i32::MAX] {
            assert_eq!(code_name(code), None, "{code}");
        }
        let status = |code: u32| code_name(code.cast_signed());
        assert_eq!(status(0xC000_0005), Some("access violation"));
        assert_eq!(status(0xC000_00FD), Some("stack overflow"));
        assert_eq!(status(0xC000_1234), Some("an error of the system's"));
    }
}

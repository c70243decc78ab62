//! The tests of what only Linux has, each of which says here what this system lacks.

mt_test_kit::skipped_tests! {
    "tests/processes/platform/linux/blobs.rs": "there is no limit on open handles that a test could set",
    "tests/processes/platform/linux/captured.rs": "there is no fork",
    "tests/processes/platform/linux/cores.rs": "processes that die dump no core of the whole memory",
    "tests/processes/platform/linux/death.rs": "there is no signal that one process sends to another",
    "tests/processes/platform/linux/descendants.rs": "there is no fork, no zombie and no adopting of orphans",
    "tests/processes/platform/linux/host.rs": "there is no zombie that a host could reap, and no exec in a shell",
    "tests/processes/platform/linux/inherited.rs": "there are no signals that are ignored or blocked, and no argv[0] of one's own",
    "tests/processes/platform/linux/measured.rs": "there are no resource limits, and niceness is a class of priorities",
    "tests/processes/platform/linux/no_threads.rs": "there is no limit on threads that a test could set",
    "tests/processes/platform/linux/oom.rs": "there are no control groups, and the system ends nobody for want of memory",
    "tests/processes/platform/linux/parent.rs": "there is no fork, and no signal that one process sends to another",
    "tests/processes/platform/linux/startup.rs": "there are no resource limits, no /proc and no loader that is a program",
    "tests/processes/platform/linux/terminal.rs": "a console stops no background processes",
    "tests/processes/platform/linux/users.rs": "a process can't become another user",
    "tests/processes/platform/linux/wrapped.rs": "a wrapper can't become the worker, nor hand handles on to the worker",
}

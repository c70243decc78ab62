//! The names of the seed documents, as they stand there.

/// The functions and classes of `mt.concurrency` with their arguments, and a class's methods with theirs as
/// `Class.method`.
pub(super) const NAMES: &[(&str, &[&str])] = &[
    ("used_memory_too_much", &[]),
    ("used_cpu_too_much", &[]),
    ("split_works", &["num_works", "num_buckets"]),
    ("serial_work_generator", &["func", "num_work_ids"]),
    (
        "aio_work_generator",
        &[
            "func",
            "num_work_ids",
            "skip_null",
            "func_kwargs",
            "max_concurrency",
        ],
    ),
    (
        "run_asyn_works_in_context",
        &[
            "progress_queue",
            "func",
            "func_args",
            "func_kwargs",
            "context_id",
            "work_id_list",
            "max_concurrency",
            "asyn",
            "context_vars",
        ],
    ),
    (
        "asyn_work_generator",
        &[
            "func",
            "func_args",
            "func_kwargs",
            "num_processes",
            "num_works",
            "max_concurrency",
            "profile",
            "debug_logger",
            "progress_queue",
            "timeout",
        ],
    ),
    (
        "worker_process",
        &["func", "heartbeat_pipe", "queue_in", "queue_out", "logger"],
    ),
    (
        "asyn_pmap",
        &[
            "asyn_func",
            "input_iterable",
            "batch_size",
            "asyn_func_args",
            "asyn_func_kwargs",
            "pool_processes",
            "pool_maxtasksperchild",
            "pool_ordered",
            "init_func",
            "init_func_args",
            "init_func_kwargs",
            "cvc_func",
            "cvc_func_args",
            "cvc_func_kwargs",
        ],
    ),
    ("Counter", &[]),
    (
        "ProcessParalleliser",
        &["func", "max_num_workers", "logger"],
    ),
    ("ProcessParalleliser.close", &[]),
    ("ProcessParalleliser.empty", &[]),
    ("ProcessParalleliser.pop", &["timeout"]),
    ("ProcessParalleliser.push", &["work_id", "timeout"]),
    (
        "WorkIterator",
        &[
            "func",
            "buffer_size",
            "skip_null",
            "push_timeout",
            "pop_timeout",
            "max_num_workers",
            "serial_mode",
            "logger",
        ],
    ),
    ("WorkIterator.close", &[]),
    // The codes of progress messages.
    ("context_created", &[]),
    ("context_raised", &[]),
    ("context_destroyed", &[]),
    ("task_scheduled", &[]),
    ("task_returned", &[]),
    ("task_raised", &[]),
    ("task_cancelled", &[]),
];

/// The functions and classes that have no counterpart yet. Whoever gives one its rows takes it out of here.
pub(super) const TO_COME: &[&str] = &[];

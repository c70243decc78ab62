//! The names of the seed documents, as they stand there.

/// The functions and classes of `mt.concurrency`, then of `mt.concurrency.beehive`: each name with its arguments
/// behind it, a class's methods as `Class.method`, and a semicolon between two. The codes of progress messages, the
/// messages of bees with their fields, and the statuses of tasks are names too.
pub(super) const NAMES: &str = "
used_memory_too_much; used_cpu_too_much;
split_works num_works num_buckets;
serial_work_generator func num_work_ids;
aio_work_generator func num_work_ids skip_null func_kwargs max_concurrency;
run_asyn_works_in_context progress_queue func func_args func_kwargs context_id work_id_list max_concurrency
    asyn context_vars;
asyn_work_generator func func_args func_kwargs num_processes num_works max_concurrency profile debug_logger
    progress_queue timeout;
worker_process func heartbeat_pipe queue_in queue_out logger;
asyn_pmap asyn_func input_iterable batch_size asyn_func_args asyn_func_kwargs pool_processes
    pool_maxtasksperchild pool_ordered init_func init_func_args init_func_kwargs cvc_func cvc_func_args
    cvc_func_kwargs;
Counter;
ProcessParalleliser func max_num_workers logger;
ProcessParalleliser.close; ProcessParalleliser.empty;
ProcessParalleliser.pop timeout;
ProcessParalleliser.push work_id timeout;
WorkIterator func buffer_size skip_null push_timeout pop_timeout max_num_workers serial_mode logger;
WorkIterator.close;

context_created; context_raised; context_destroyed; task_scheduled; task_returned; task_raised;
task_cancelled;

logger_debug_msg msg logger;
subprocess_workerbee workerbee_class workerbee_id init_args init_kwargs s3_profile max_concurrency logger;
beehive_run queenbee_class workerbee_class task_name task_args task_kwargs queenbee_init_args
    queenbee_init_kwargs workerbee_init_args workerbee_init_kwargs s3_profile max_concurrency
    queenbee_max_concurrency context_vars logger;
Bee my_id p_m2p p_p2m max_concurrency logger;
Bee.delegate name args kwargs;
Bee.run;
WorkerBee my_id p_m2p p_p2m max_concurrency context_vars logger;
WorkerBee.busy_status context_vars;
QueenBee my_id p_m2p p_p2m workerbee_class worker_init_args worker_init_kwargs s3_profile max_concurrency
    workerbee_max_concurrency context_vars logger;

new_task task_id;
task_accepted task_id;
task_denied task_id;
task_taken task_id;
task_info task_id name args kwargs;
task_done task_id status;
succeeded returning_value;
raised exception traceback other_details;
cancelled reason;
die;
dead death_type exit_code exception traceback;
";

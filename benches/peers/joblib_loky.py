"""joblib with its default backend, loky: workers kept by `with`, results as they come, batches by itself."""

from contextlib import contextmanager

import workload

try:
    from joblib import Parallel, delayed
except ImportError as error:
    workload.missing(error)


@contextmanager
def open_pool(workers):
    # The pool is kept for calls with the same workers; how tasks are batched is an option of each call.
    def results(task, items, count, batch):
        size = batch or "auto"
        ahead = "all" if batch is None else 4 * workers * batch
        parallel = Parallel(n_jobs=workers, return_as="generator", batch_size=size, pre_dispatch=ahead)
        return parallel(delayed(task)(item) for item in items)

    yield results


if __name__ == "__main__":
    workload.main(open_pool)

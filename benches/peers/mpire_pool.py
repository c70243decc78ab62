"""mpire.WorkerPool.imap, with workers that are kept alive between calls."""

from contextlib import contextmanager

import workload

try:
    from mpire import WorkerPool
except ImportError as error:
    workload.missing(error)


@contextmanager
def open_pool(workers):
    with WorkerPool(workers, keep_alive=True) as pool:

        def results(task, items, count, batch):
            return pool.imap(task, items, iterable_len=count, chunk_size=batch)

        yield results


if __name__ == "__main__":
    workload.main(open_pool)

"""multiprocessing.Pool.imap: with a large chunksize "much faster than using the default value of 1"."""

import multiprocessing
from contextlib import contextmanager

import workload


@contextmanager
def open_pool(workers):
    with multiprocessing.Pool(workers) as pool:

        def results(task, items, count, batch):
            return pool.imap(task, items, chunksize=batch or workload.share(count, workers))

        yield results


if __name__ == "__main__":
    workload.main(open_pool)

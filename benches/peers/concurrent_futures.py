"""concurrent.futures.ProcessPoolExecutor.map: with a large chunksize "can significantly improve performance"."""

from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import workload


@contextmanager
def open_pool(workers):
    with ProcessPoolExecutor(workers) as pool:

        def results(task, items, count, batch):
            return pool.map(task, items, chunksize=batch or workload.share(count, workers))

        yield results


if __name__ == "__main__":
    workload.main(open_pool)

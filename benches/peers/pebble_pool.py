"""pebble.ProcessPool.map."""

from contextlib import contextmanager

import workload

try:
    from pebble import ProcessPool
except ImportError as error:
    workload.missing(error)


@contextmanager
def open_pool(workers):
    with ProcessPool(max_workers=workers) as pool:

        def results(task, items, count, batch):
            return pool.map(task, items, chunksize=batch or workload.share(count, workers)).result()

        yield results


if __name__ == "__main__":
    workload.main(open_pool)

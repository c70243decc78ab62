"""mtbase's asyn_pmap, the seed; it has no pool that outlives a call, so its start is on the clock."""

from contextlib import contextmanager

import workload

try:
    from mt.concurrency import asyn_pmap
except ImportError as error:
    workload.missing(error)


async def same(n, context_vars={}):
    return n


async def spin(rounds, context_vars={}):
    return workload.spin(rounds)


async def body(value, context_vars={}):
    return value


TASKS = {workload.same: same, workload.spin: spin, workload.body: body}


@contextmanager
def open_pool(workers):
    def results(task, items, count, batch):
        size = batch or workload.share(count, workers)
        return asyn_pmap(TASKS[task], items, batch_size=size, pool_processes=workers)

    yield results


if __name__ == "__main__":
    workload.main(open_pool)

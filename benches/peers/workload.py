"""What every peer in Python does: the tasks, the clock, and the words it is called with.

A peer gives `main` a function that makes an iterable of results, in the order of the items, out of a task, items, their
number, workers and a batch; `batch` is None where the peer may choose. It is called with two loads: one to warm up, and
one on the clock. One JSON object on standard output says how long the second took; what is not installed ends the program
with status 3. Of tasks that keep a processor busy it also says how long they take without the library: a task is as many
rounds as took its time once, and what they take later can be a tenth more or less.
"""

import json
import math
import os
import signal
import sys
import time

MISSING = 3


def same(n):
    return n


def spin(rounds):
    """Keeps a processor busy for so many rounds, each of which needs the one before."""
    x = 1
    for _ in range(rounds):
        x = (x * 5 + 1) & 0xFFFF
    return rounds


def body(value):
    return value


def rounds_in(seconds):
    """The rounds that take this long when nothing holds them up."""

    def look():
        begun = time.perf_counter()
        spin(10_000)
        return (time.perf_counter() - begun) / 10_000

    return max(1, round(seconds / min(look() for _ in range(50))))


def without_library(rounds, count, workers):
    """The seconds that the same tasks take in as many processes that do nothing else."""
    begun = time.perf_counter()
    children = []
    for _ in range(workers):
        child = os.fork()
        if child == 0:
            for _ in range(count // workers):
                spin(rounds)
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    return time.perf_counter() - begun


def share(count, workers):
    """The batch that Pool.map chooses by itself: each worker gets four."""
    return math.ceil(count / (4 * workers))


def end_with_all(_signal, _frame):
    os.killpg(0, signal.SIGKILL)


def main(open_pool):
    """`open_pool(workers)` is a context manager; its value is the function that makes results."""
    asked = json.loads(sys.argv[1])
    # Whoever started this has given it a process group: pools that hang end with it.
    signal.signal(signal.SIGALRM, end_with_all)
    signal.alarm(asked["limit_s"])
    count, workers, batch = asked["count"], asked["workers"], asked["batch"]
    if asked["task"] == "same":
        task, warm_up, items, total = same, range(1000), range(count), count * (count - 1) // 2
    elif asked["task"] == "spin":
        rounds, short = rounds_in(asked["seconds"]), rounds_in(0.001)
        task, warm_up, items, total = spin, [short] * (20 * workers), [rounds] * count, rounds * count
    else:
        # Different objects: pickle sends one that occurs twice in a batch only once.
        bodies = [bytes([n]) * asked["bytes"] for n in range(32)]
        task, warm_up = body, bodies
        items, total = (bodies[n % 32] for n in range(count)), asked["bytes"] * count
    with open_pool(workers) as results:
        for _ in results(task, warm_up, len(warm_up), batch):
            pass
        begun = time.perf_counter()
        got = 0
        for value in results(task, items, count, batch):
            got += len(value) if task is body else value
        seconds = time.perf_counter() - begun
    assert got == total, (got, total)
    said = {"seconds": seconds}
    if task is spin:
        said["without_library"] = without_library(rounds, count, workers)
    print(json.dumps(said), flush=True)


def missing(error):
    print(error, file=sys.stderr)
    sys.exit(MISSING)

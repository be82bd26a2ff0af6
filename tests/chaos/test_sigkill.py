"""Writers that are killed at any moment lose, damage and double nothing."""

import collections
import multiprocessing
import random
import time

import pytest

from simfactory import catalog
from simfactory.dataset import open_dataset
from simfactory.store import committed_ids, create_dataset, leftovers, open_folder, sweep, validate
from simfactory.testing.store import example_id, write_examples

KILLS = 100
WRITERS = 8
CLIPS = 100_000  # more than are ever reached while writers are being killed
SHARED = 40  # the first ones, which all writers begin with


def start_writer(context, folder, log, numbers):
    process = context.Process(target=write_examples, args=(str(folder), numbers), kwargs={"log": log}, daemon=True)
    process.start()
    return process


def stop(processes):
    for process in processes:
        process.kill()
        process.join()
        process.close()


def cpu_seconds(process):
    """CPU time of a process [s]: where it is in its work, however busy the machine is."""
    return time.clock_gettime((~process << 3) | 2)  # Linux has a clock for each process


def kill_at_random(context, folder, log, rng):
    """Keep WRITERS writers at work on the same clips; kill one after the other."""

    def fresh():
        # What a writer begins with, others are writing at the same time.
        start = rng.randrange(SHARED - 10)
        return start_writer(context, folder, log, [*range(start, start + 10), *rng.sample(range(CLIPS), 500)])

    processes = [fresh() for _ in range(WRITERS)]
    try:
        for _ in range(KILLS):
            victim, wanted = rng.randrange(WRITERS), rng.uniform(0.0, 0.1)
            while processes[victim].exitcode is None and cpu_seconds(processes[victim].pid) < wanted:
                time.sleep(0.001)
            assert processes[victim].exitcode is None, "a writer stopped by itself"
            stop([processes[victim]])
            processes[victim] = fresh()
    finally:
        stop(processes)


@pytest.mark.slow
def test_a_hundred_sigkills_lose_corrupt_and_double_nothing(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["simfactory.testing.store"])
    rng = random.Random(20)
    folder, log = create_dataset(tmp_path / "dataset").path, tmp_path / "committed.txt"

    kill_at_random(context, folder, log, rng)
    abandoned = len(list(open_folder(folder).volume.names("staging")))
    assert abandoned >= KILLS / 4, "too few kills hit a writer in the middle of a clip to prove anything"
    reported = [int(line) for line in log.read_text().split()]
    committed = committed_ids(folder)
    assert {example_id(number) for number in reported} <= committed, "lost"
    assert max(collections.Counter(reported).values()) == 1, "committed twice"
    assert validate(folder) == [], "corrupt"

    repeats = [start_writer(context, folder, log, range(SHARED)) for _ in range(2)]
    for process in repeats:
        process.join()
        assert process.exitcode == 0
    wanted = {example_id(number) for number in range(SHARED)}
    assert sweep(folder, older_than_s=0.0) >= abandoned
    assert list(leftovers(folder)) == [], "doubled"
    assert list(open_folder(folder).volume.names("staging")) == []
    assert committed_ids(folder) >= wanted | committed
    assert validate(folder) == [], "corrupt"
    assert catalog.update(folder) == len(open_dataset(folder)) == len(committed_ids(folder))

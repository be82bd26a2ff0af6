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


class Writer:
    """A process that writes clips."""

    def __init__(self, context, folder, log, numbers):
        self.begun = context.Event()
        options = {"log": log, "begun": self.begun}
        self.process = context.Process(target=write_examples, args=(str(folder), numbers), kwargs=options, daemon=True)
        self.process.start()

    def kill(self):
        self.process.kill()
        self.process.join()
        self.process.close()

    def wait_for(self, seconds):
        """Wait until it has begun and then worked for this long [CPU s]."""
        assert self.begun.wait(60), "a writer did not begin"
        end = cpu_seconds(self.process.pid) + seconds
        while self.process.exitcode is None and cpu_seconds(self.process.pid) < end:
            time.sleep(0.001)
        assert self.process.exitcode is None, "a writer stopped by itself"


def cpu_seconds(process):
    """CPU time of a process [s]: where it is in its work, however busy the machine is."""
    return time.clock_gettime((~process << 3) | 2)  # Linux has a clock for each process


def kill_at_random(context, folder, log, rng):
    """Keep WRITERS writers at work on the same clips; kill one after the other."""

    def fresh():
        # What a writer begins with, others are writing at the same time.
        start = rng.randrange(SHARED - 10)
        return Writer(context, folder, log, [*range(start, start + 10), *rng.sample(range(CLIPS), 500)])

    writers = [fresh() for _ in range(WRITERS)]
    try:
        for _ in range(KILLS):
            victim = rng.randrange(WRITERS)
            if rng.random() < 0.9:  # the others die wherever they are, also before they begin
                writers[victim].wait_for(rng.uniform(0.0, 0.1))
            writers[victim].kill()
            writers[victim] = fresh()
    finally:
        for writer in writers:
            writer.kill()


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

    repeats = [Writer(context, folder, log, range(SHARED)) for _ in range(2)]
    for writer in repeats:
        writer.process.join()
        assert writer.process.exitcode == 0
    wanted = {example_id(number) for number in range(SHARED)}
    assert sweep(folder, older_than_s=0.0) >= abandoned
    assert list(leftovers(folder)) == [], "doubled"
    assert list(open_folder(folder).volume.names("staging")) == []
    assert committed_ids(folder) >= wanted | committed
    assert validate(folder) == [], "corrupt"
    assert catalog.update(folder) == len(open_dataset(folder)) == len(committed_ids(folder))

import json

import pytest
import torch

from simfactory.errors import SpecError
from training.data import Curriculum, Framing, WindowDataset, WindowLoader, Windows, WindowSampler

WINDOWS = Windows(length=5, stride=2, starts="random")
FRAMING = Framing(crop=(16, 24), place="random")


def loader(source, *, workers=0, start_method="forkserver", **options):
    dataset = WindowDataset([source], windows=WINDOWS, outputs=["rgb", "motion", "tracks"], framing=FRAMING)
    sampler = WindowSampler([source], windows=WINDOWS, framing=FRAMING, **{"batch_size": 4, "seed": 11, **options})
    return WindowLoader(dataset, sampler, workers=workers, start_method=start_method)


def assert_same(first, second):
    assert len(first) == len(second)
    for one, two in zip(first, second, strict=True):
        assert (one.clip_ids, one.starts, one.captions) == (two.clip_ids, two.starts, two.captions)
        assert one.tensors.keys() == two.tensors.keys()
        for name, tensor in one.tensors.items():
            torch.testing.assert_close(tensor, two[name], equal_nan=True, rtol=0.0, atol=0.0)


@pytest.mark.parametrize("curriculum", [None, Curriculum.by_tier(windows=[12, 40])])
def test_a_state_continues_with_the_same_bytes_over_the_end_of_an_epoch(source, curriculum):
    whole = loader(source, curriculum=curriculum)
    batches, states = [], []
    for _ in range(2):
        for batch in whole:
            batches.append(batch)
            states.append(whole.state_dict())
    assert len(batches) == 14
    for done in (3, 7):
        again = loader(source, curriculum=curriculum)
        again.load_state_dict(json.loads(json.dumps(states[done - 1])))
        rest = [batch for _ in range(2) for batch in again]
        # From the last batch of an epoch on there is no other left of it: that iteration is empty.
        assert_same(rest[: 14 - done], batches[done:])


def test_a_loop_that_is_broken_off_goes_on_where_it_was(source):
    whole = list(loader(source))
    broken = loader(source)
    first = []
    for batch in broken:
        first.append(batch)
        if len(first) == 2:
            break
    assert len(broken) == len(whole) - 2
    assert_same(first + list(broken), whole)
    assert broken.state_dict()["epoch"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(("start_method", "workers"), [("spawn", 2), ("forkserver", 1)])
def test_workers_give_the_batches_of_one_process(source, start_method, workers):
    alone = loader(source)
    helped = loader(source, workers=workers, start_method=start_method)
    taken = iter(helped)
    first = [next(taken) for _ in range(2)]
    state = helped.state_dict()
    del taken
    expected = list(alone)
    assert_same(first, expected[:2])
    # What workers had read ahead is not lost: the state counts what was handed out.
    assert state["position"] == 8
    helped.load_state_dict(state)
    assert_same(list(helped), expected[2:])


def test_a_state_of_other_clips_or_options_is_refused(source):
    first = loader(source)
    state = first.state_dict()
    with pytest.raises(SpecError, match="clips or options differ"):
        loader(source, seed=12).load_state_dict(state)
    with pytest.raises(SpecError, match="no whole number of steps of 4 windows"):
        first.load_state_dict({**state, "position": 6})


def test_workers_are_never_forked(source):
    with pytest.raises(SpecError, match="choose forkserver or spawn: readers of the store do not survive a fork"):
        loader(source, start_method="fork")
    with pytest.raises(SpecError, match="workers=-1"):
        loader(source, workers=-1)


def test_batches_move_to_a_device_whole(source):
    batch = next(iter(loader(source)))
    moved = batch.to("meta")
    assert {tensor.device.type for tensor in moved.tensors.values()} == {"meta"}
    assert (len(moved), moved.clip_ids) == (4, batch.clip_ids)

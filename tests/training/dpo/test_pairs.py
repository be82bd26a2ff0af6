"""Pairs: the same window of both clips, and what is no pair is refused before the first step."""

import pytest
import torch

from simfactory import catalog
from simfactory.dataset import open_dataset
from simfactory.errors import StoreError
from simfactory.store import open_folder
from tests.training.dpo.conftest import write_loser
from training.data import ClipQuery, WindowKey, WindowLoader, Windows, WindowSampler
from training.dpo import PairDataset, open_pairs

WINDOWS = Windows(length=5, stride=2)


def test_a_pair_is_the_same_window_of_both(pairs):
    found = open_pairs(str(pairs))
    assert len(found.losers.dataset) == 12
    assert len(found.winners.dataset) == 6
    loser = found.losers.dataset.ids[0]
    sample = PairDataset([found], windows=WINDOWS)[WindowKey(source=0, clip_id=loser, start=0)]
    assert sample.clip_id == f"{found.winner_of[loser]}>{loser}"
    winner, losing = sample["rgb"], sample["loser_rgb"]
    assert torch.equal(winner[0], losing[0])
    whole = open_dataset(pairs)[found.winner_of[loser]].read("rgb")
    torch.testing.assert_close((losing[1] + 1.0) * 127.5, torch.from_numpy(whole[-1]).permute(2, 0, 1).float())


def test_a_query_chooses_violations(pairs):
    found = open_pairs(str(pairs), query=ClipQuery(violation=("teleport",)))
    assert [row["violation"] for row in found.losers.dataset.rows()] == ["teleport"] * 6


def test_the_order_continues_in_the_middle_of_an_epoch(pairs):
    found = open_pairs(str(pairs))

    def loader():
        sampler = WindowSampler([found.losers], windows=WINDOWS, batch_size=4, seed=3)
        return WindowLoader(PairDataset([found], windows=WINDOWS), sampler)

    whole = [(batch.clip_ids, batch.starts) for batch in loader()]
    assert len(whole) == 6
    begun, rest = loader(), loader()
    for _ in zip(range(2), begun, strict=False):
        pass
    rest.load_state_dict(begun.state_dict())
    position = begun.state_dict()["position"] // 4
    assert [(batch.clip_ids, batch.starts) for batch in rest] == whole[position:]


def test_a_dataset_without_losers_is_refused(falling):
    with pytest.raises(StoreError, match=r"none of its 8 clips has broken physics.*generate --broken"):
        open_pairs(str(falling))


def test_a_loser_without_its_winner_is_refused(copied):
    write_loser(copied, open_dataset(copied)[0], pair="0" * 32)
    catalog.update(open_folder(copied))
    with pytest.raises(StoreError, match=f"the intact clip {'0' * 32}, which is not there"):
        open_pairs(str(copied))


def test_a_pair_of_unlike_clips_is_refused(copied):
    write_loser(copied, open_dataset(copied)[0], frames=6)
    catalog.update(open_folder(copied))
    with pytest.raises(StoreError, match="differ in frame_count 6 and 7"):
        open_pairs(str(copied))

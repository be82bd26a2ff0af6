from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simfactory.errors import SpecError
from training.data import (
    ClipQuery,
    Curriculum,
    Framing,
    Stage,
    WindowKey,
    Windows,
    WindowSampler,
    open_source,
)

WINDOWS = Windows(length=5, stride=2)
# 13 frames give windows at 0, 2, 4, 6, 8; the clip of 10 frames those at 0, 2, 4.
ALL = 5 * 5 + 3


def keys_of(*samplers):
    return [key for sampler in samplers for batch in sampler for key in batch]


def tier_of(source):
    tiers = {row["clip_id"]: row["tier"] for row in source.dataset.rows()}
    return lambda key: tiers[key.clip_id]


@given(world=st.integers(1, 5), batch_size=st.integers(1, 9), seed=st.integers(0, 2**40))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_processes_cover_every_window_once(source, world, batch_size, seed):
    ranks = [
        WindowSampler(
            [source], windows=WINDOWS, batch_size=batch_size, seed=seed, rank=rank, world=world, drop_last=False
        )
        for rank in range(world)
    ]
    places = [(key.clip_id, key.start) for key in keys_of(*ranks)]
    assert len(places) == len(set(places)) == ALL
    assert [len(rank) for rank in ranks] == [len(list(rank)) for rank in ranks]


def test_processes_have_equally_many_whole_batches_for_training(source):
    ranks = [WindowSampler([source], windows=WINDOWS, batch_size=3, seed=1, rank=rank, world=2) for rank in range(2)]
    batches = [list(rank) for rank in ranks]
    assert [[len(batch) for batch in mine] for mine in batches] == [[3] * (ALL // 6)] * 2
    assert not {*keys_of(ranks[0])} & {*keys_of(ranks[1])}


def test_an_order_follows_from_seed_and_epoch(source):
    def order(seed, epoch):
        sampler = WindowSampler([source], windows=WINDOWS, batch_size=4, seed=seed)
        sampler.epoch = epoch
        return keys_of(sampler)

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert [key.start for key in order(1, 0)] != sorted(key.start for key in order(1, 0))


def test_without_shuffle_windows_come_as_they_lie(source):
    sampler = WindowSampler([source], windows=WINDOWS, batch_size=ALL, seed=0, shuffle=False)
    starts = [0, 2, 4, 6, 8]
    expected = [(clip_id, start) for clip_id in source.dataset.ids for start in starts]
    assert [(key.clip_id, key.start) for key in keys_of(sampler)] == expected[:ALL]


def test_the_rest_of_an_epoch_follows_a_position_in_any_number_of_processes(source):
    options = {"windows": WINDOWS, "seed": 5, "framing": Framing(crop=(8, 8), place="random")}
    whole = WindowSampler([source], batch_size=4, **options)
    after = keys_of(whole)[8:]
    whole.position = 8
    assert keys_of(whole) == after
    halves = [WindowSampler([source], batch_size=2, rank=rank, world=2, **options) for rank in range(2)]
    for half in halves:
        half.position = 8
    together = [key for pair in zip(*map(keys_of, halves), strict=True) for key in pair]
    assert together == after


def test_random_starts_lie_inside_on_multiples_and_differ_between_epochs(source):
    windows = Windows(length=5, stride=1, starts="random", align=4)
    sampler = WindowSampler([source], windows=windows, batch_size=1, seed=2)
    frames = {row["clip_id"]: row["frame_count"] for row in source.dataset.rows()}
    first = keys_of(sampler)
    assert len(first) == 5 * 9 + 6
    assert {key.start for key in first} == {0, 4, 8}
    assert all(key.start + 5 <= frames[key.clip_id] for key in first)
    sampler.epoch = 1
    assert Counter((key.clip_id, key.start) for key in keys_of(sampler)) != Counter(
        (key.clip_id, key.start) for key in first
    )


def test_sources_share_the_windows_by_weight(balls):
    parts = [
        open_source(balls, query=ClipQuery(ranges={"index": (0, 0)}), name="one", weight=3.0),
        open_source(balls, query=ClipQuery(ranges={"index": (1, 9)}), name="rest", weight=1.0),
    ]
    sampler = WindowSampler(parts, windows=WINDOWS, batch_size=1, seed=4, epoch_windows=2000)
    keys = keys_of(sampler)
    counts = Counter(key.source for key in keys)
    # Binomial with p = 3/4: five standard deviations of 2000 draws are 97.
    assert abs(counts[0] - 1500) < 97
    # Each of a source's windows comes once before one comes again.
    starts = [key.start for key in keys if key.source == 0]
    assert all(sorted(starts[k : k + 5]) == [0, 2, 4, 6, 8] for k in range(0, len(starts) - 5, 5))


def test_the_curriculum_goes_from_single_over_two_to_many(source):
    curriculum = Curriculum.by_tier(windows=[10, 14], keep=False)
    sampler = WindowSampler([source], windows=WINDOWS, batch_size=2, seed=1, curriculum=curriculum)
    tiers = [tier_of(source)(key) for key in keys_of(sampler)]
    assert tiers == ["single"] * 10 + ["two_body"] * 14 + ["multi_object"] * (ALL - 24)
    sampler.epoch = 1  # stages count on over epochs
    assert {tier_of(source)(key) for key in keys_of(sampler)} == {"multi_object"}


def test_easier_tiers_stay_in_the_curriculum_unless_told_otherwise(source):
    curriculum = Curriculum.by_tier(windows=[600, 600])
    sampler = WindowSampler([source], windows=WINDOWS, batch_size=1, seed=1, curriculum=curriculum, epoch_windows=1800)
    tiers = [tier_of(source)(key) for key in keys_of(sampler)]
    assert set(tiers[:600]) == {"single"}
    assert set(tiers[600:1200]) == {"single", "two_body"}
    # Thirds of 600: five standard deviations are 58.
    assert all(abs(count - 200) < 58 for count in Counter(tiers[1200:]).values())


def test_processes_agree_on_a_curriculum(source):
    curriculum = Curriculum(
        stages=[Stage(windows=7, weights={"single": 1.0}), Stage(windows=1, weights={"two_body": 1.0})]
    )
    ranks = [
        WindowSampler([source], windows=WINDOWS, batch_size=2, seed=1, rank=rank, world=2, curriculum=curriculum)
        for rank in range(2)
    ]
    tiers = [[tier_of(source)(key) for key in keys_of(rank)] for rank in ranks]
    assert [mine.count("single") for mine in tiers] == [4, 3]


def test_clips_without_a_tier_are_drawn_in_every_stage(source, video):
    real = open_source(video, name="video", weight=1.0)
    ours = open_source(source.dataset.path, name="balls", weight=1.0)
    curriculum = Curriculum.by_tier(windows=[200, 200], keep=False)
    sampler = WindowSampler(
        [ours, real], windows=WINDOWS, batch_size=1, seed=3, curriculum=curriculum, epoch_windows=600
    )
    sources = np.array([key.source for key in keys_of(sampler)])
    # Halves of 200: five standard deviations are 36.
    assert all(abs(sources[k : k + 200].sum() - 100) < 36 for k in (0, 200, 400))


def test_a_stage_without_clips_says_which_tiers_there_are(balls):
    single = open_source(balls, query=ClipQuery(tier=("single",)))
    with pytest.raises(SpecError, match=r"draws \['two_body'\], .* there are \['single'\]: generate what is missing"):
        WindowSampler(
            [single],
            windows=WINDOWS,
            batch_size=1,
            seed=0,
            curriculum=Curriculum.by_tier(windows=[1, 1], keep=False),
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rank": 2, "world": 2}, "rank 2 of 2"),
        ({"batch_size": 0}, "batches hold at least 1"),
        ({"batch_size": 30}, "an epoch of 28 windows does not fill one batch of 30"),
        ({"windows": Windows(length=14)}, "no clip has 14 frames"),
        ({"shuffle": False, "epoch_windows": 40}, "shuffle=False gives each window once"),
    ],
)
def test_impossible_orders_are_refused(source, options, said):
    with pytest.raises(SpecError, match=said):
        WindowSampler([source], **{"windows": WINDOWS, "batch_size": 2, "seed": 0, **options})


def test_weights_are_given_to_all_sources_or_to_none(source, balls):
    weighted = open_source(balls, weight=2.0, name="weighted")
    with pytest.raises(SpecError, match="give one to all of them or to none"):
        WindowSampler([source, weighted], windows=WINDOWS, batch_size=1, seed=0)
    with pytest.raises(SpecError, match="has weight -1"):
        open_source(balls, weight=-1.0)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Stage(windows=1, weights={"pair": 1.0}), r"tiers \['pair'\]; choose from single"),
        (lambda: Stage(windows=0, weights={"single": 1.0}), "at least one window"),
        (lambda: Stage(windows=1, weights={"single": 0.0}), "and a positive one"),
        (lambda: Curriculum(stages=[]), "without stages"),
        (lambda: Curriculum.by_tier(windows=[1]), "give 2 numbers"),
        (lambda: Windows(length=4, stride=0), "stride=0; it is at least 1"),
        (lambda: Windows(length=4, starts="any"), "choose fixed or random"),
    ],
)
def test_impossible_stages_and_windows_are_refused(make, said):
    with pytest.raises(SpecError, match=said):
        make()


def test_keys_can_be_compared_and_hashed():
    assert len({WindowKey(source=0, clip_id="a", start=1), WindowKey(source=0, clip_id="a", start=1)}) == 1

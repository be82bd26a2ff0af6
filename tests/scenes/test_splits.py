"""Splits are decided by what names an episode, and what is held out of training stays out of it."""

import math
from collections import Counter

import numpy as np
import pytest

import scenes
from scenes.splits import SplitRules
from simfactory.errors import SpecError
from simfactory.splits import SHARES, SplitRecord, assigned, leaks, parse_shares

TEST_ONLY = SplitRules(shares=(0.0, 0.0, 1.0))
HELD_OUT_SCENES = {entry.name for entry in scenes.catalogue() if entry.split == "test"}


def gravity(spec):
    return math.hypot(*spec.environment.gravity)


def test_shares_are_kept():
    count = 1500
    drawn = Counter(
        scenes.sample("rigid", scene="free_drop", seed=1, index=index, views=1).split for index in range(count)
    )
    for split, share in zip(("train", "val", "test"), SHARES, strict=True):
        sigma = math.sqrt(share * (1.0 - share) / count)
        assert drawn[split] / count == pytest.approx(share, abs=4.0 * sigma)


@pytest.mark.parametrize(
    "options",
    [
        {"attempt": 3},
        {"views": 2},
        {"frame_count": 5, "fps": 60.0, "size": (64, 64)},
        {"ranges": {"friction": (0.1, 0.3)}},
        {"tier": "two_body"},
    ],
    ids=str,
)
def test_other_recordings_and_attempts_of_an_episode_share_its_split(options):
    for index in range(25):
        usual = scenes.sample("rigid", seed=4, index=index, views=1)
        assert scenes.sample("rigid", seed=4, index=index, **({"views": 1} | options)).split == usual.split


def test_training_shows_nothing_that_is_held_out(sampled):
    varied = [spec for spec in sampled if spec.split != "test"]
    assert not {spec.scene for spec in varied} & HELD_OUT_SCENES
    assert not any(3.2 <= gravity(spec) <= 4.2 for spec in varied)


def test_test_episodes_show_what_is_held_out_and_what_is_not():
    specs = [scenes.sample("rigid", seed=2, index=index, views=1, split_rules=TEST_ONLY) for index in range(80)]
    assert {spec.split for spec in specs} == {"test"}
    shown = np.mean([spec.scene in HELD_OUT_SCENES for spec in specs])
    ranged = np.mean([3.2 <= gravity(spec) <= 4.2 for spec in specs])
    assert 0.3 < shown < 0.7
    assert 0.3 < ranged < 0.7
    assert {spec.scene for spec in specs} >= {entry for entry in HELD_OUT_SCENES if entry.startswith("ledge")}


def test_asking_for_what_is_held_out_makes_test_episodes():
    for index in range(8):
        assert scenes.sample("rigid", scene="ledge_row", seed=0, index=index, views=1).split == "test"
        ranged = scenes.sample("rigid", seed=0, index=index, views=1, ranges={"gravity": (3.5, 4.0)})
        assert ranged.split == "test"
        assert 3.5 <= gravity(ranged) <= 4.0


def test_another_range_can_be_held_out():
    rules = SplitRules(held_out={"friction": (0.4, 0.5)})
    for index in range(40):
        spec = scenes.sample("rigid", seed=3, index=index, views=1, split_rules=rules)
        values = [mu for body in spec.bodies for mu in (body.physical.static_friction, body.physical.dynamic_friction)]
        if spec.split != "test":
            assert not any(0.4 <= value <= 0.5 for value in values), spec.scene


def test_every_category_holds_scenes_out_of_training():
    entries = scenes.catalogue()
    for category in {entry.category for entry in entries}:
        assert {entry.split for entry in entries if entry.category == category} == {"train", "test"}


@pytest.mark.parametrize("text", ["90/5", "90/5/6", "a/b/c", "110/-5/-5"])
def test_impossible_shares_are_refused(text):
    with pytest.raises(SpecError, match="train, val and test"):
        parse_shares(text)


def test_specs_without_a_split_get_that_of_their_physical_configuration():
    specs = [
        scenes.sample("rigid", seed=9, index=index, views=1).model_copy(update={"split": None}) for index in range(60)
    ]
    first = [assigned(spec).split for spec in specs]
    filmed_again = [assigned(spec.model_copy(update={"seed": 1, "frame_count": 3, "lights": ()})) for spec in specs]
    assert [spec.split for spec in filmed_again] == first
    assert 0.7 < first.count("train") / len(first) < 1.0


def test_the_configuration_digest_is_that_of_the_physics_alone(sampled):
    spec = sampled[0]
    (body, *others) = spec.bodies
    painted = body.model_copy(update={"visual": others[0].visual if others else spec.ground.visual})
    assert spec.model_copy(update={"bodies": (painted, *others)}).configuration_digest() == spec.configuration_digest()
    heavier = body.model_copy(update={"physical": body.physical.model_copy(update={"density": 123.0})})
    assert spec.model_copy(update={"bodies": (heavier, *others)}).configuration_digest() != spec.configuration_digest()
    assert len({one.configuration_digest() for one in sampled}) == len(sampled)


def record(spec, clip_id="a", listed="as in the spec"):
    return SplitRecord(clip_id=clip_id, spec=spec, listed=spec.split if listed == "as in the spec" else listed)


@pytest.fixture
def trained():
    return scenes.sample("rigid", scene="free_drop", seed=5, index=1, views=1).model_copy(update={"split": "train"})


def test_sound_splits_have_no_leaks(sampled):
    assert leaks(map(record, sampled), held_out_scenes=HELD_OUT_SCENES) == []


def test_the_same_physics_in_two_splits_leaks(trained):
    again = trained.model_copy(update={"seed": 6, "split": "test", "fps": 30.0})
    (leak,) = leaks([record(trained), record(again, "b")])
    assert leak.clip_id == "b"
    assert "same physical configuration" in leak.problem


def test_two_attempts_of_an_episode_in_two_splits_leak(trained):
    again = scenes.sample("rigid", scene="free_drop", seed=5, index=1, attempt=1, views=1)
    (leak,) = leaks([record(trained), record(again.model_copy(update={"split": "val"}), "b")])
    assert "same episode" in leak.problem


def test_a_held_out_scene_in_training_leaks(trained):
    (leak,) = leaks([record(trained)], held_out_scenes=["free_drop"])
    assert "free_drop" in leak.problem


def test_a_held_out_range_in_training_leaks(trained):
    light = trained.environment.model_copy(update={"gravity": (0.0, 0.0, -3.7)})
    (leak,) = leaks([record(trained.model_copy(update={"environment": light}))])
    assert "gravity 3.7 lies in the held-out 3.2:4.2" in leak.problem


def test_a_clip_listed_in_another_split_leaks(trained):
    (leak,) = leaks([record(trained, listed="test")])
    assert "listed in test" in leak.problem

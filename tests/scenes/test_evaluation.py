"""The evaluation split is whole and never changes."""

import gzip
import hashlib
from collections import Counter
from pathlib import Path

import pytest

import scenes
from scenes.evaluation import FROZEN, SEED, frozen_specs, pack
from scenes.listing import catalogue, categories
from simfactory.errors import SpecError
from simfactory.spec import CameraFixed
from simfactory.splits import SplitRecord, leaks

DIGEST = "d61fcfd7819b98ef5d65a029eed19c60a1d7cb238d98f9b337ac006c1e8c83d8"


def test_its_specs_are_those_that_were_frozen():
    text = gzip.decompress(Path(scenes.__file__).with_name(FROZEN).read_bytes())
    assert hashlib.sha256(text).hexdigest() == DIGEST
    assert gzip.decompress(pack(frozen_specs())) == text


def test_it_covers_categories_and_tiers_from_fixed_cameras():
    specs = frozen_specs()
    each = Counter(spec.category for spec in specs)
    assert set(each) == set(categories())
    assert len(set(each.values())) == 1
    for name in each:
        assert len({spec.tier for spec in specs if spec.category == name}) == 3, name
    assert {spec.split for spec in specs} == {"evaluation"}
    assert {spec.seed for spec in specs} == {SEED}
    assert all(isinstance(camera.path, CameraFixed) for spec in specs for camera in spec.cameras)
    assert all(len(spec.cameras) == 3 for spec in specs)


def test_half_of_it_is_held_out_of_training():
    held_out = {entry.name for entry in catalogue() if entry.split == "test"}
    share = sum(spec.scene in held_out for spec in frozen_specs()) / len(frozen_specs())
    assert 0.4 <= share <= 0.6


def test_size_views_and_categories_are_chosen_and_nothing_else_changes():
    (spec, *_), (whole, *_) = frozen_specs(["rigid"], size=(64, 48), views=1), frozen_specs(["rigid"])
    assert [(camera.width, camera.height) for camera in spec.cameras] == [(64, 48)]
    assert spec.digest(cameras=False) == whole.digest(cameras=False)


@pytest.mark.parametrize(("options", "word"), [({"wanted": ["juggling"]}, "juggling"), ({"views": 4}, "1 to 3")])
def test_what_there_is_not_is_refused(options, word):
    with pytest.raises(SpecError, match=word):
        frozen_specs(**options)


def test_beside_others_it_is_a_leak():
    frozen = frozen_specs(["rigid"])[0]
    other = scenes.sample("rigid", scene="free_drop", seed=0, views=1)
    records = [SplitRecord(clip_id=str(k), spec=spec, listed=spec.split) for k, spec in enumerate((frozen, other))]
    assert any("evaluation" in leak.problem for leak in leaks(records))
    assert not leaks(records[:1])
    assert not leaks(records, with_benchmark=True)

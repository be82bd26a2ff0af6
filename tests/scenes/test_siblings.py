"""Counterfactual siblings differ in one parameter alone and are kept or replaced as a whole."""

import math

import pytest

import scenes
from scenes.generate import generate
from scenes.sibling_specs import SiblingSpecs
from scenes.splits import USUAL, SplitRules
from simfactory.dataset import open_dataset
from simfactory.errors import SpecError
from simfactory.parameters import PARAMETERS
from simfactory.processes import Job
from simfactory.siblings import CHANGEABLE, compare, parse_siblings, read_groups, siblings
from simfactory.spec import SceneSpec
from simfactory.store import create_dataset, read_rejections

VALUES = {
    "gravity": (1.6, 9.8), "air_density": (0.1, 1.5), "density": (500.0, 2000.0), "friction": (0.1, 0.9),
    "restitution": (0.2, 0.8), "damping": (0.01, 1.0), "young": (2e4, 2e5), "poisson": (0.2, 0.4),
}  # fmt: skip
TINY = {"category": "rigid", "seed": 5, "frame_count": 8, "fps": 8.0, "size": (32, 32), "views": 1}


class Watcher:
    """Is told how a run goes, and does not care."""

    def planned(self, frames): ...
    def prepared(self, seconds): ...
    def recorded(self, frames): ...


def job(folder, workers=1):
    create_dataset(folder, profile="portable")
    return Job(dataset=folder, profile="portable", backend="newton", preset="draft", device="cpu", workers=workers)


def differing(first, second, path=""):
    """Paths of the leaves in which two JSON values differ."""
    if isinstance(first, dict):
        return [leaf for key in first for leaf in differing(first[key], second[key], f"{path}/{key}")]
    if isinstance(first, list):
        assert len(first) == len(second)
        return [
            leaf for k, pair in enumerate(zip(first, second, strict=True)) for leaf in differing(*pair, f"{path}/{k}")
        ]
    return [] if first == second else [path]


def test_every_changeable_parameter_is_tried():
    assert VALUES.keys() == CHANGEABLE.keys() <= PARAMETERS.keys()


@pytest.mark.parametrize("name", sorted(VALUES))
def test_siblings_differ_in_one_parameter_alone(name):
    fields = {
        "gravity": "gravity", "air_density": "air_density", "friction": "friction", "young": "young_modulus",
        "poisson": "poisson_ratio",
    }  # fmt: skip
    for index in range(4):
        base = scenes.sample("soft_body", seed=3, index=index, views=2)
        first, second = siblings(base, name, VALUES[name])
        for spec, value in ((first, VALUES[name][0]), (second, VALUES[name][1])):
            assert PARAMETERS[name].measure(spec) == pytest.approx([value] * len(PARAMETERS[name].measure(spec)))
            assert SceneSpec.model_validate_json(spec.model_dump_json()) == spec
            assert (spec.sibling.parameter, spec.sibling.value, spec.split) == (name, value, base.split)
        assert first.sibling.group == second.sibling.group
        leaves = differing(first.model_dump(mode="json"), second.model_dump(mode="json"))
        assert leaves
        assert all(fields.get(name, name) in leaf or leaf == "/sibling/value" for leaf in leaves), leaves
        assert first.cameras == second.cameras == base.cameras


def test_gravity_keeps_its_direction():
    base = scenes.sample("rigid", scene="free_drop", seed=0, index=4, views=1, ranges={"gravity_tilt": (5.0, 8.0)})
    down = [tuple(x / math.hypot(*v) for x in v) for v in (base.environment.gravity, *(
        spec.environment.gravity for spec in siblings(base, "gravity", (2.0, 12.0))
    ))]  # fmt: skip
    assert down[1] == pytest.approx(down[0], abs=1e-8)
    assert down[2] == pytest.approx(down[0], abs=1e-8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scale=1,2", "cannot differ in 'scale' alone; allowed are"),
        ("gravity=1.6", "two or more different"),
        ("gravity=2,2", "two or more different"),
        ("gravity=low,high", "give NAME=VALUE,VALUE"),
        ("restitution=0.2,1.5", "outside 0:1"),
    ],
)
def test_impossible_siblings_are_refused(text, message):
    with pytest.raises(SpecError, match=message):
        parse_siblings([text])


def test_a_value_that_is_held_out_of_training_is_refused():
    with pytest.raises(SpecError, match="held out"):
        SiblingSpecs(clip_count=2, options=TINY, changes={"gravity": (3.7, 9.8)}, rules=USUAL)
    free = SplitRules(held_out={"friction": (0.4, 0.5)})
    assert len(SiblingSpecs(clip_count=2, options=TINY, changes={"gravity": (3.7, 9.8)}, rules=free)) == 1


def test_groups_are_whole_and_give_at_least_the_clips_wanted():
    changes = {"gravity": (1.6, 9.8), "restitution": (0.2, 0.5, 0.8)}
    options = {**TINY, "views": 2}
    assert [len(SiblingSpecs(clip_count=n, options=options, changes=changes, rules=USUAL)) for n in (1, 4, 5, 11)] == [
        1, 1, 2, 3,
    ]  # fmt: skip
    specs = SiblingSpecs(clip_count=11, options=options, changes=changes, rules=USUAL)
    groups = [specs.together(index, 0) for index in range(3)]
    assert [len(group) for group in groups] == [2, 3, 2]
    assert [group[0].index for group in groups] == [0, 0, 1]
    assert len({group[0].sibling.group for group in groups}) == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_a_refused_sibling_takes_its_group_along(tmp_path, workers):
    class SecondIsBroken(SiblingSpecs):
        """The second sibling of group 0's first attempt has a body that flies away."""

        def together(self, index, attempt):
            first, second = super().together(index, attempt)
            if index or attempt:
                return first, second
            far = second.bodies[0].model_copy(update={"linear_velocity": (0.0, 0.0, 99.0)})
            return first, second.model_copy(update={"bodies": (far, *second.bodies[1:])})

    options = {**TINY, "scene": "free_drop", "fps": 1.0, "frame_count": 3}
    specs = SecondIsBroken(clip_count=4, options=options, changes={"restitution": (0.1, 0.8)}, rules=USUAL)
    generation = generate(specs, job(tmp_path, workers), observer=Watcher())
    assert (generation.added, generation.failed) == (4, [])
    assert sum(generation.refused.values()) >= 1
    found = {(clip.spec["index"], clip.spec["attempt"]) for clip in open_dataset(tmp_path)}
    assert {attempt for index, attempt in found if index == 0} == {1}, "nothing is left of the first attempt"
    assert len(read_groups(tmp_path)) == 2
    assert len(read_rejections(tmp_path)) == 1
    again = generate(specs, job(tmp_path, workers), observer=Watcher())
    assert (again.added, again.refused.total()) == (0, 0)


def test_what_cannot_be_seen_is_called_invisible(tmp_path):
    """A body that is in the air all the time does not bounce: its restitution makes no difference, gravity does."""
    options = {**TINY, "scene": "free_drop", "fps": 240.0}
    changes = {"restitution": (0.1, 0.8), "gravity": (1.6, 49.0)}
    generate(
        SiblingSpecs(clip_count=4, options=options, changes=changes, rules=USUAL), job(tmp_path), observer=Watcher()
    )
    groups = {group["parameter"]: group for group in read_groups(tmp_path).values()}
    (unseen,) = groups["restitution"]["differences"]
    assert groups["restitution"]["visible"] is False
    assert (unseen["largest_pixel_share"], unseen["largest_distance"]) == (0.0, 0.0)
    (seen,) = groups["gravity"]["differences"]
    time = 7 / 240
    assert seen["largest_distance"] == pytest.approx(0.5 * (49.0 - 1.6) * time**2, rel=0.25)


def test_an_incomplete_group_cannot_be_compared(tmp_path):
    changes = {"gravity": (1.6, 9.8)}
    generate(
        SiblingSpecs(clip_count=2, options={**TINY, "scene": "free_drop"}, changes=changes, rules=USUAL),
        job(tmp_path),
        observer=Watcher(),
    )
    clips = list(open_dataset(tmp_path))
    assert compare(clips) == next(iter(read_groups(tmp_path).values()))
    with pytest.raises(Exception, match="lacks clips of gravity"):
        compare(clips[:1])

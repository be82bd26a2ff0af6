"""Templates: what they fill in, and that the full one is what it says."""

from collections import Counter

import pytest

from api.planner import Plan
from api.problems import RequestError
from api.templates import TEMPLATES, filled_in
from scenes.listing import catalogue, categories
from simfactory.protocol import JobRequest

ENTRIES = {entry.name: entry for entry in catalogue()}


def full(**fields):
    return filled_in(JobRequest.model_validate({"dataset": "data", "template": "phys4d-full", **fields}))


def test_a_request_without_a_template_stays_as_it_is():
    asked = JobRequest(dataset="data")
    assert filled_in(asked) is asked


def test_what_was_given_wins_even_where_it_is_the_usual_value():
    asked = full(frames=48, name="mine", tags=["night"])
    assert (asked.frames, asked.name, asked.tags) == (48, "mine", ["night"])
    assert (asked.fps, asked.size) == (30.0, [480, 480])
    assert full(items=[{"category": "rigid", "clips": 3}]).items[0].clips == 3


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_filling_in_twice_or_after_a_round_trip_changes_nothing(name):
    asked = filled_in(JobRequest(dataset="data", template=name))
    assert asked.template == name
    assert filled_in(asked) == asked
    assert filled_in(JobRequest.model_validate_json(asked.model_dump_json())) == asked


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_template_can_be_planned(name):
    assert Plan(JobRequest(dataset="data", template=name)).parts


def test_an_unknown_template_is_refused_with_the_known_ones():
    with pytest.raises(RequestError) as caught:
        filled_in(JobRequest(dataset="data", template="phys5d"))
    (error,) = caught.value.errors
    assert error.pointer == "/template"
    assert "['demo', 'phys4d-full']" in error.detail


def test_the_full_template_has_the_amount_of_data_that_phys4d_had():
    plan = Plan(full())
    assert len({item.scene for item in plan.request.items}) == len(plan.parts) == 200
    assert sum(part.episodes for part in plan.parts) == 250_000
    assert sum(part.clips for part in plan.parts) == 1_250_000
    assert sum(part.frames for part in plan.parts) == 1_250_000 * 300
    assert sum(part.pixels for part in plan.parts) == 1_250_000 * 300 * 480 * 480
    assert sum(part.footage for part in plan.parts) == pytest.approx(1_250_000 * 10.0)


def test_the_full_template_trains_on_every_scene_it_may_and_tests_on_some_held_out():
    chosen = {item.scene for item in full().items}
    trained = {name for name, entry in ENTRIES.items() if entry.split == "train"}
    held_out = [ENTRIES[name] for name in chosen - trained]
    assert trained < chosen
    assert len(held_out) == 200 - len(trained)
    assert len({entry.category for entry in held_out}) == len(held_out), "each from another category"
    assert {entry.category for entry in map(ENTRIES.__getitem__, chosen)} == set(categories())


def test_held_out_scenes_of_the_full_template_are_tested_only_whatever_the_shares():
    plan = Plan(full(split="100/0/0", size=[32, 32]))
    held_out = [k for k, item in enumerate(plan.request.items) if ENTRIES[item.scene].split == "test"]
    assert held_out
    for number in held_out:
        (spec,) = plan.units(number, plan.parts[number].units - 1, 0)
        assert (spec.split, spec.scene) == ("test", plan.request.items[number].scene)
    assert plan.units(0, 0, 0)[0].split == "train"


def test_the_full_template_has_the_tiers_of_the_curriculum():
    episodes = Counter()
    for item in full().items:
        tiers = ENTRIES[item.scene].tiers
        for tier in tiers:
            episodes[tier] += item.clips / 5 / len(tiers)
    shares = [episodes[tier] / 250_000 for tier in ("single", "two_body", "multi_object")]
    assert shares == pytest.approx([0.30, 0.35, 0.35], abs=0.002)


def test_the_full_template_films_with_three_standing_and_two_moving_cameras():
    (spec,) = Plan(full(frames=4, size=[32, 32])).units(0, 0, 0)
    assert Counter(camera.path.kind for camera in spec.cameras) == {"fixed": 3, "orbit": 2}
    assert spec.sensors.modalities == (), "all of them"


def test_the_demo_is_a_few_dozen_draft_clips_of_several_categories():
    plan = Plan(JobRequest(dataset="data", template="demo"))
    assert 24 <= sum(part.clips for part in plan.parts) <= 60
    assert len({part.category for part in plan.parts}) >= 5
    assert plan.request.preset == "draft"

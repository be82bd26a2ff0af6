"""Ranges of a job: values stay inside, other draws stay as they are, mistakes are named."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

import scenes
from scenes.statistics import chi_square_p, statistics
from simfactory.errors import SpecError
from simfactory.parameters import PARAMETERS, UNHONOURED, checked_ranges, parse_ranges, spans_of
from simfactory.rng import stream

RIGS = ("ring", "orbit", "crane")
NARROW = {
    "density": (500.0, 900.0), "young": (3e4, 1e5), "poisson": (0.3, 0.35), "friction": (0.1, 0.3),
    "restitution": (0.2, 0.3), "damping": (0.2, 0.4), "viscosity": (5.0, 8.0), "gravity": (1.6, 9.8),
    "gravity_tilt": (2.0, 3.0), "air_density": (0.9, 1.3), "wind": (4.0, 6.0), "turbulence": (0.1, 0.2),
    "wind_exponent": (0.3, 0.4), "jet_speed": (9.0, 10.0), "vortex_speed": (3.0, 3.5),
    "temperature_difference": (30.0, 42.0), "scale": (0.9, 1.1),
    "aspect": (0.8, 1.2), "speed": (1.0, 4.0), "spin": (1.0, 6.0), "environment_factor": (0.8, 1.2),
    "key_to_fill": (2.0, 3.0), "color_temperature": (4000.0, 5000.0), "camera_fov": (40.0, 50.0),
    "camera_distance": (2.5, 3.5), "camera_elevation": (15.0, 25.0), "camera_speed": (0.2, 0.3),
    "roughness": (0.4, 0.6), "metallic": (0.0, 0.0), "texture": (0.05, 0.1),
}  # fmt: skip
SHOWN_BY = {  # category and, where only few of its scenes have the parameter, one of these
    "gravity_tilt": ("rigid", "free_drop"),
    "temperature_difference": ("thermal", None),
    "wind_exponent": ("inflatable", "balloons_in_shear"),
    "jet_speed": ("rigid", "fan_blows_balls"),
    "vortex_speed": ("inflatable", "balloons_in_vortex"),
}
RARE = {"air_density", "wind", "turbulence"}  # few episodes have air unless it is asked for


def test_every_parameter_is_tried():
    assert NARROW.keys() == PARAMETERS.keys()


@pytest.mark.parametrize("name", sorted(NARROW))
def test_values_stay_in_the_range_that_was_asked_for(name):
    low, high = NARROW[name]
    delivered, widest = [], 0.0
    for category, scene in [SHOWN_BY[name]] if name in SHOWN_BY else [("rigid", None), ("soft_body", None)]:
        for index in range(10):
            measure = PARAMETERS[name].measure
            sample = partial(scenes.sample, category, scene=scene, seed=24, index=index, rigs=RIGS, views=3)
            delivered += measure(sample(ranges={name: (low, high)}))
            widest = max([widest, *(abs(value - 0.5 * (low + high)) for value in measure(sample()))])
    assert delivered
    assert low * (1.0 - 2e-6) - 1e-9 <= min(delivered)
    assert max(delivered) <= high * (1.0 + 2e-6) + 1e-9
    if low < high:
        assert np.ptp(delivered) > 0.0
    if low < high and name not in RARE:
        assert widest > 0.5 * (high - low), "without the range there are values outside it"


@pytest.mark.parametrize("name", ["friction", "restitution", "density", "color_temperature", "roughness", "wind"])
def test_a_range_moves_no_other_draw(name):
    """What is compared is everything that another named parameter measures, and looks, names and lights besides."""
    for index in range(8):
        usual = scenes.sample("rigid", seed=22, index=index, views=2)
        ranged = scenes.sample("rigid", seed=22, index=index, views=2, ranges={name: NARROW[name]})
        assert (ranged.scene, ranged.tier, ranged.split) == (usual.scene, usual.tier, usual.split)
        others = {"scale", "aspect", "poisson", "young", "damping", "texture", "metallic", "key_to_fill", "camera_fov"}
        for other in others - {name}:
            assert PARAMETERS[other].measure(ranged) == PARAMETERS[other].measure(usual), other
        assert [body.name for body in ranged.bodies] == [body.name for body in usual.bodies]
        assert ranged.caption == usual.caption
    if name in {"restitution", "color_temperature", "roughness", "wind"}:  # nothing is laid out by these
        assert [body.position for body in ranged.bodies] == [body.position for body in usual.bodies]
        assert ranged.cameras == usual.cameras


def test_the_order_of_drawn_values_is_kept():
    pairs = []
    for index in range(30):
        usual = scenes.sample("rigid", scene="bounce", seed=23, index=index, views=1)
        ranged = scenes.sample("rigid", scene="bounce", seed=23, index=index, views=1, ranges={"density": (10.0, 20.0)})
        pairs.append((usual.bodies[0].physical.density, ranged.bodies[0].physical.density))
    assert [pair[0] for pair in sorted(pairs)] == sorted(pair[0] for pair in pairs)
    assert [pair[1] for pair in sorted(pairs)] == sorted(pair[1] for pair in pairs)


def test_a_scene_that_cannot_keep_a_range_is_passed_over_or_named():
    icy = {"friction": (0.01, 0.03)}
    with pytest.raises(SpecError, match=r"ramp_stick.*friction"):
        scenes.sample("rigid", scene="ramp_stick", seed=0, views=1, ranges=icy)
    drawn = [scenes.sample("rigid", seed=0, index=index, views=1, ranges=icy).scene for index in range(40)]
    assert not {"ramp_stick", "ramp_roll"} & set(drawn)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fiction=0.1:0.3", r"'fiction' is unknown; allowed are .*friction 0:2"),
        ("friction=0.3:0.1", r"is empty.*allowed are .*density 1:25000"),
        ("friction=0.1:nan", "is empty"),
        ("poisson=0.3:0.6", r"outside 0:0.45; allowed are"),
        ("gravity=-1:3", "outside 0.1:50"),
        ("friction", "give NAME=LOW:HIGH"),
        ("friction=low:high", "give NAME=LOW:HIGH"),
        *((f"{name}=0:1", r"would have no effect: .*allowed are") for name in UNHONOURED),
    ],
)
def test_impossible_ranges_are_refused_with_what_is_allowed(text, message):
    with pytest.raises(SpecError, match=message):
        parse_ranges([text])


def test_a_range_is_given_once_and_may_be_one_value():
    assert parse_ranges(["friction=0.2", "gravity=1.6:9.8"]) == {"friction": (0.2, 0.2), "gravity": (1.6, 9.8)}
    with pytest.raises(SpecError, match="twice"):
        parse_ranges(["wind=1:2", "wind=3:4"])


def test_usual_ranges_lie_within_what_may_be_asked_for():
    checked_ranges({name: one.usual for name, one in PARAMETERS.items()})
    for one in PARAMETERS.values():
        for low, high in one.narrower.values():
            assert one.usual[0] <= low <= high <= one.usual[1]


def test_a_hole_is_left_out_and_everything_else_is_reached():
    (span,) = spans_of({}, without={"gravity": (3.0, 5.0)}).values()
    values = [span.moved(value) for value in np.linspace(1.6, 15.0, 500)]
    assert values == sorted(values)
    assert not any(3.0 <= value <= 5.0 for value in values)
    assert (min(values), max(values)) == pytest.approx((1.6, 15.0))
    assert max(b - a for a, b in pairwise(values)) < 2.1
    with pytest.raises(SpecError, match="held-out"):
        spans_of({"gravity": (3.1, 4.0)}, without={"gravity": (3.0, 5.0)})


def test_a_stream_without_ranges_returns_what_was_drawn():
    draw = stream(1, "a")
    assert draw.within("friction", 0.4) == 0.4
    assert draw.allows("friction", 7.0)
    assert not draw.asks("friction")


def test_the_chi_square_tail_of_two_degrees_of_freedom():
    """5.991 is the tabled 5 % point."""
    weights = {"single": 1 / 3, "two_body": 1 / 3, "multi_object": 1 / 3}
    shift = math.sqrt(5.991 * 1000.0 / 2.0)
    counts = {"single": 1000.0 + shift, "two_body": 1000.0 - shift, "multi_object": 1000.0}
    assert chi_square_p(counts, weights) == pytest.approx(0.05, abs=1e-4)
    assert chi_square_p(dict.fromkeys(weights, 100), weights) == 1.0


def test_statistics_count_what_was_sampled():
    options = {"category": "rigid", "seed": 5, "views": 2, "ranges": {"friction": (0.2, 0.4)}}
    report = statistics(60, options)
    assert (report["episodes"], report["clips"], report["distinct_configurations"]) == (30, 60, 30)
    specs = [scenes.sample("rigid", seed=5, index=k, views=2, ranges=options["ranges"]) for k in range(30)]
    assert report["tiers"] == {tier: sum(spec.tier == tier for spec in specs) for tier in report["tiers"]}
    for name, row in report["parameters"].items():
        values = [value for spec in specs for value in PARAMETERS[name].measure(spec)]
        assert row["count"] == len(values) == sum(row["histogram"]) + row["outside"]
        if values:
            assert (row["min"], row["max"]) == (min(values), max(values))
    friction = report["parameters"]["friction"]
    values = [value for spec in specs for value in PARAMETERS["friction"].measure(spec)]
    assert friction["requested"] == [0.2, 0.4]
    assert friction["quantiles"]["0.5"] == pytest.approx(np.median(values), abs=0.2 / 1000 + 2e-3)
    assert friction["coverage"] == np.mean(np.histogram(values, bins=20, range=(0.2, 0.4))[0] > 0)
    assert report["parameters"]["young"]["covered"] is None, "rigid bodies do not deform"


def test_a_small_sample_covers_less_and_says_so():
    rows = statistics(4, {"category": "rigid", "seed": 0, "views": 2})["parameters"]
    assert rows["gravity"]["covered"] is False

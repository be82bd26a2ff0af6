"""Estimates: the table's own sources, how costs scale, and what was measured here."""

import json
import math

import pytest

from api.estimate import FRAMES_MIN, calibration, estimate
from api.planner import Plan
from api.tables import RateRow
from scenes.listing import categories
from simfactory.protocol import Estimate, JobRequest
from simfactory.rendering import preset_names
from simfactory.spec import Sphere
from simfactory.testing.specs import make_body, make_spec

PIXELS = 256 * 256


def plan(category="rigid", **fields):
    given = {"dataset": "data", "items": [{"category": category, "clips": 5}], "frames": 24, **fields}
    return Plan(JobRequest.model_validate(given))


def told(*arguments, rates=(), workers=2, **fields):
    return estimate(plan(*arguments, **fields), rates, workers=workers)


def rate(category="rigid", **fields):
    frames = fields.pop("frames", FRAMES_MIN)
    usual = {
        "backend": "newton", "preset": "draft", "category": category, "device": "cpu", "frames": frames,
        "pixels": frames * PIXELS, "bytes": frames * 1000, "seconds": frames * 0.5,
    }  # fmt: skip
    return RateRow(**{**usual, **fields})


@pytest.fixture
def throughput(repository_root):
    return json.loads((repository_root / "benchmarks" / "results" / "throughput.json").read_text())


@pytest.mark.parametrize("case", ["rigid", "cloth", "soft_body", "fluid", "rigid_standard", "rigid_high"])
def test_the_table_gives_the_cost_of_a_frame_that_the_benchmark_measured(throughput, case):
    row = throughput[case]
    found = told(row["category"], preset=row["preset"])
    assert found.parts[0].seconds / found.frames == pytest.approx(row["cpu_s_per_frame"], rel=0.03)


def test_the_cost_of_a_large_frame_is_that_of_the_benchmark_to_a_fifth(repository_root):
    """The table is linear in pixels from one size; another benchmark measured another size."""
    measured = json.loads((repository_root / "benchmarks" / "results" / "full_hd.json").read_text())
    found = told(size=[1920, 1080], frames=600, fps=60.0, views=1, items=[{"category": "rigid", "clips": 1}])
    assert found.parts[0].seconds / found.frames == pytest.approx(measured["cpu_s_per_frame"], rel=0.2)


def test_sizes_are_those_of_the_benchmark_to_a_fifth(repository_root):
    """The table's clips are shorter, and others: rigid, 256x256, draft, five cameras."""
    runs = json.loads((repository_root / "benchmarks" / "results" / "generate.json").read_text())["runs"]
    measured = next(run for run in runs if run["preset"] == "draft" and run["cameras"] == 5)
    found = told(frames=48)
    assert found.bytes / found.frames == pytest.approx(measured["bytes_per_frame"]["total"], rel=0.2)


def test_the_table_has_every_category_and_preset():
    table = calibration()
    assert set(table.seconds) == set(table.bytes) == set(categories())
    assert set(table.presets) == set(table.rgb) == set(preset_names())
    assert set(table.profiles) == {"portable", "archive"}


def test_what_an_estimate_counts_is_what_the_plan_counts():
    items = [{"category": "rigid", "clips": 7}, {"category": "rope", "clips": 5}, {"category": "rigid", "clips": 3}]
    job = plan(items=items, seeds=[1, 2])
    found = estimate(job, [], workers=0)
    assert (found.clips, found.episodes, found.frames) == (30, 8, 30 * 24)
    assert {part.category: (part.clips, part.episodes) for part in found.parts} == {"rigid": (20, 6), "rope": (10, 2)}
    assert found.bytes == sum(part.bytes for part in found.parts)
    assert found.cpu_hours * 3600 == pytest.approx(math.fsum(part.seconds for part in found.parts))
    assert found.eta_seconds is None, "nobody works"
    assert estimate(job, [], workers=4).eta_seconds == pytest.approx(found.cpu_hours * 900)
    Estimate.model_validate_json(found.model_dump_json())


def test_more_pixels_cost_time_in_proportion_and_bytes_by_less():
    small, large = told(), told(size=[512, 512])
    drawn = calibration().seconds["rigid"]["megapixel"] * PIXELS * 1e-6 * small.frames
    assert large.parts[0].seconds - small.parts[0].seconds == pytest.approx(3 * drawn)
    assert 2.0 < large.bytes / small.bytes < 4.0


def test_signals_that_are_left_out_take_no_bytes():
    everything, little = told(), told(modalities=["rgb"])
    sizes = calibration().bytes["rigid"]
    kept = sum(sizes[name] for name in ("rgb", "bodies", "camera", "mask", "time"))  # some come along with any
    assert little.bytes == pytest.approx(little.frames * kept + 5 * calibration().clip)
    assert little.bytes < everything.bytes


def test_presets_and_profiles_change_what_they_should():
    draft, high, archive = told(), told(preset="high"), told(profile="archive")
    assert high.parts[0].seconds > 5 * draft.parts[0].seconds
    assert high.bytes - draft.bytes == pytest.approx(
        draft.frames * calibration().bytes["rigid"]["rgb"] * 1.42, rel=0.01
    )
    assert archive.bytes == pytest.approx(draft.bytes * 2.7, rel=1e-6)


def test_more_cameras_do_not_simulate_again():
    one = told("soft_body", views=1, items=[{"category": "soft_body", "clips": 5}])
    five = told("soft_body", views=5)
    assert (one.episodes, five.episodes) == (5, 1)
    simulated = calibration().seconds["soft_body"]["simulate"]  # 24 frames at 24 Hz: one second
    assert one.parts[0].seconds - five.parts[0].seconds == pytest.approx(4 * simulated)


def test_what_was_measured_here_replaces_what_is_shipped():
    found = told(rates=[rate(device="cpu", frames=600), rate(device="cpu", frames=400)])
    assert found.basis == "measured"
    assert found.parts[0].seconds == pytest.approx(120 * 0.5)
    assert found.bytes == 120 * 1000
    assert told(size=[512, 512], rates=[rate()]).parts[0].seconds == pytest.approx(4 * 120 * 0.5)


@pytest.mark.parametrize(
    "row",
    [
        rate(frames=FRAMES_MIN - 1),
        rate(category="cloth"),
        rate(preset="high"),
        rate(backend="mock"),
        rate(device="cuda:0"),
        rate(pixels=0),
    ],
)
def test_what_was_measured_of_too_little_or_of_something_else_does_not_count(row):
    assert told(rates=[row]).parts == told().parts
    assert told(rates=[row]).basis == "shipped"


def test_a_job_is_measured_once_all_its_categories_are():
    items = [{"category": "rigid", "clips": 5}, {"category": "rope", "clips": 5}]
    half = told(items=items, rates=[rate()])
    assert half.basis == "shipped"
    assert half.parts[0].seconds == pytest.approx(60.0)
    assert half.parts[1] == told(items=items).parts[1]
    assert told(items=items, rates=[rate(), rate("rope")]).basis == "measured"


def test_gpu_hours_are_the_papers_until_a_gpu_was_measured():
    full = estimate(Plan(JobRequest(dataset="data", template="phys4d-full")), [], workers=0)
    assert full.gpu_basis == "assumed"
    assert full.gpu_hours == pytest.approx(1_250_000 / 5_000)
    assert full.gpus_for_a_week == 2
    measured = told(rates=[rate(device="cuda:0", seconds=FRAMES_MIN * 36.0)])
    assert measured.gpu_basis == "measured"
    assert measured.gpu_hours == pytest.approx(120 * 36.0 / 3600)
    assert measured.basis == "shipped", "of CPU workers nothing was measured"


def test_given_specs_are_estimated_as_they_are():
    ball = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 1.0))
    specs = [make_spec(bodies=(ball,), frame_count=frames, size=(64, 32)) for frames in (10, 30)]
    job = Plan(JobRequest(dataset="data", specs=[json.loads(spec.model_dump_json()) for spec in specs]))
    found = estimate(job, [], workers=1)
    assert (found.clips, found.frames) == (2, 40)
    cost = calibration().seconds["rigid"]
    simulated = 40 / specs[0].fps
    expected = simulated * cost["simulate"] + 40 * cost["frame"] + 40 * 64 * 32 * 1e-6 * cost["megapixel"]
    assert found.parts[0].seconds == pytest.approx(expected)

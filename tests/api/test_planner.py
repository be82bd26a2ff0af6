"""Plans: what is refused, where and why; how parts are counted; and which episodes a number names."""

import json
import sys

import pytest

from api.checks import PARTS_MAX
from api.planner import ATTEMPTS_MAX, Plan
from api.problems import RequestError
from scenes import sample
from simfactory.protocol import JobRequest
from simfactory.spec import Sphere
from simfactory.splits import SplitRecord, leaks
from simfactory.store import create_dataset, read_runs, record_run
from simfactory.testing.specs import make_body, make_camera, make_cloth, make_spec

RIGID = {"category": "rigid", "clips": 12}


def request(**fields):
    given = {"dataset": "data", "items": [RIGID], "frames": 4, "size": [32, 32], **fields}
    return JobRequest.model_validate(given)


def given_spec(**fields):
    ball = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 1.0))
    return make_spec(bodies=(ball,), frame_count=4, size=(32, 32), **fields)


def dumped(*specs):
    return [json.loads(spec.model_dump_json()) for spec in specs]


def checked(asked, meshes):
    Plan(asked, meshes).check_first()


def errors(asked, meshes=(), *, first=False):
    with pytest.raises(RequestError) as caught:
        checked(asked, meshes) if first else Plan(asked, meshes)
    assert str(caught.value) == "the request cannot be fulfilled"
    return {error.pointer: error.detail for error in caught.value.errors}


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"items": []}, "/items", "nothing is asked for"),
        ({"items": [{"category": "rgid", "clips": 1}]}, "/items/0/category", "'articulated', 'cloth', 'fluid'"),
        ({"items": [RIGID, {**RIGID, "scene": "bonce"}]}, "/items/1/scene", "'bounce'"),
        ({"items": [{**RIGID, "scene": "bounce", "tier": "two_body"}]}, "/items/0/tier", "allowed are ['single']"),
        ({"items": [{"category": "cloth", "clips": 1}], "backend": "mock"}, "/items/0/category", "that do: newton"),
        (
            {"items": [{"category": "cloth", "clips": 1, "scene": "cloth_flag"}], "backend": "mock"},
            "/items/0/scene",
            "has bodies of kind cloth, which backend 'mock' does not simulate",
        ),
        ({"ranges": {"frction": [0, 1]}}, "/ranges/frction", "friction 0:2"),
        ({"ranges": {"friction": [1, 0]}}, "/ranges/friction", "is empty"),
        ({"ranges": {"friction": [0, 9]}}, "/ranges/friction", "outside 0:2"),
        ({"ranges": {"temperature": [280, 300]}}, "/ranges/temperature", "would have no effect"),
        ({"sweeps": {"gravity": [9.8, 99]}}, "/sweeps/gravity/1", "outside 0.1:50"),
        ({"sweeps": {"gravity": [9.8, 5, 9.8]}}, "/sweeps/gravity/2", "given twice"),
        (
            {"sweeps": {"gravity": [5, 9.8]}, "ranges": {"gravity": [5, 9.8]}},
            "/sweeps/gravity",
            "among sweeps and ranges",
        ),
        (
            {"sweeps": {"gravity": [5, 9.8]}, "siblings": {"gravity": [5, 9.8]}},
            "/sweeps/gravity",
            "among sweeps and siblings",
        ),
        ({"siblings": {"speed": [1, 2]}}, "/siblings/speed", "'air_density', 'damping'"),
        ({"siblings": {"gravity": [5, 5]}}, "/siblings/gravity", "two or more different values"),
        ({"siblings": {"gravity": [3.5, 9.8]}}, "/siblings/gravity", "held out of training"),
        ({"siblings": {"gravity": [5, 9.8]}, "modalities": ["depth"]}, "/modalities", "compared by rgb"),
        ({"cameras": ["ring", "drone"]}, "/cameras/1", "'crane', 'dolly'"),
        ({"cameras": ["ring", "ring"]}, "/cameras/1", "named twice"),
        ({"modalities": ["rgb", "dpth"]}, "/modalities/1", "depth"),
        ({"preset": "hihg"}, "/preset", "high"),
        ({"backend": "isac"}, "/backend", "mock, newton"),
        ({"split": "90/5/6"}, "/split", "add up to 1"),
        ({"hold_out": {"gravity": [0, 1]}}, "/hold_out/gravity", "outside 0.1:50"),
        ({"seeds": [3, 4, 3]}, "/seeds/2", "seed 3 is given twice"),
        ({"seeds": list(range(1000)), "items": [RIGID] * 101}, "/seeds", f"at most {PARTS_MAX:,}"),
        ({"assets": "set1"}, "/assets", "unknown or empty"),
        ({"template": "phys5d"}, "/template", "['demo', 'phys4d-full']"),
    ],
)
def test_what_is_impossible_is_refused_where_it_stands(fields, pointer, words):
    found = errors(request(**fields))
    assert set(found) == {pointer}
    assert words in found[pointer]


def test_every_error_is_told_at_once():
    found = errors(
        request(
            items=[{"category": "rgid", "clips": 1}, {**RIGID, "scene": "bonce"}],
            ranges={"frction": [0, 1]},
            cameras=["drone"],
            modalities=["dpth"],
            preset="hihg",
            backend="isac",
            split="1/2/3",
        )
    )
    assert list(found) == [
        "/items/0/category",
        "/items/1/scene",
        "/cameras/0",
        "/modalities/0",
        "/preset",
        "/ranges/frction",
        "/split",
        "/backend",
    ]


def test_meshes_need_an_item_that_may_show_them():
    flags = [{"category": "cloth", "scene": "cloth_flag", "clips": 1}]
    found = errors(request(items=flags, assets="set1"), meshes=[{"digest": "0" * 64}])
    assert set(found) == {"/assets"}
    assert "no item has any" in found["/assets"]
    assert Plan(request(items=[*flags, RIGID], assets="set1"), [{"digest": "0" * 64}]).parts


def asked_with(spec, **fields):
    return JobRequest.model_validate({"dataset": "data", "specs": dumped(spec), **fields})


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"items": [RIGID]}, "/items"),
        ({"template": "demo"}, "/template"),
        ({"ranges": {"friction": [0.1, 0.2]}}, "/ranges"),
        ({"sweeps": {"friction": [0.1, 0.2]}}, "/sweeps"),
        ({"siblings": {"friction": [0.1, 0.2]}}, "/siblings"),
        ({"assets": "set1"}, "/assets"),
        ({"until_rest": True}, "/until_rest"),
        ({"seeds": [1]}, "/seeds"),
        ({"frames": 7}, "/frames"),
        ({"cameras": ["crane"]}, "/cameras"),
    ],
)
def test_specs_stay_as_they_are_so_nothing_that_samples_may_stand_beside_them(fields, pointer):
    found = errors(asked_with(given_spec(), **fields))
    assert set(found) == {pointer}
    assert "specs stay as they are" in found[pointer]


def test_wrong_specs_are_named_by_their_number():
    good, other = dumped(given_spec(), given_spec(seed=9))
    found = errors(JobRequest(dataset="data", specs=[good, {**other, "fps": -1}, good], backend="mock"))
    assert set(found) == {"/specs/1", "/specs/2"}
    assert "fps: Input should be greater than 0" in found["/specs/1"]
    assert found["/specs/2"] == "the same as specs/0: give each spec once"


def test_a_spec_that_the_backend_cannot_simulate_keeps_its_number_beside_an_unreadable_one():
    (good,) = dumped(given_spec())
    (cloth,) = dumped(make_spec(bodies=(make_cloth(),), frame_count=4, size=(32, 32)))
    found = errors(JobRequest(dataset="data", specs=[{**good, "fps": -1}, good, cloth], backend="mock"))
    assert set(found) == {"/specs/0", "/specs/2/bodies"}
    assert "bodies of kind cloth" in found["/specs/2/bodies"]


def test_specs_of_a_benchmark_and_others_are_not_mixed():
    held = given_spec().model_copy(update={"split": "evaluation"})
    found = errors(JobRequest(dataset="data", specs=dumped(held, given_spec(seed=9)), backend="mock"))
    assert "evaluation and training" in found["/specs"]


def test_parts_are_items_times_points_times_seeds_and_count_their_clips():
    plan = Plan(request(items=[RIGID, {"category": "rope", "clips": 5}], seeds=[0, 7], sweeps={"gravity": [5.0, 9.8]}))
    assert [part.category for part in plan.parts] == ["rigid", "rope"] * 4
    assert [(part.units, part.episodes, part.clips) for part in plan.parts[:2]] == [(3, 3, 12), (1, 1, 5)]
    rigid = plan.parts[0]
    assert (rigid.frames, rigid.pixels) == (48, 48 * 32 * 32)
    assert rigid.footage == pytest.approx(2.0)
    assert rigid.simulated == pytest.approx(0.5)


@pytest.mark.parametrize("fields", [{}, {"views": 2}, {"cameras": ["crane", "tracking"]}])
def test_a_part_gives_the_clips_that_it_counts(fields):
    plan = Plan(request(**fields))
    (part,) = plan.parts
    units = [plan.units(0, index, 0) for index in range(part.units)]
    assert [len(unit) for unit in units] == [1] * part.episodes
    assert sum(len(spec.cameras) for (spec,) in units) == part.clips == 12


def test_groups_of_siblings_are_counted_as_they_are_sampled():
    changes = {"gravity": [5.0, 9.8], "density": [300.0, 900.0, 2700.0]}
    for clips in (1, 4, 5, 10, 11, 26):
        plan = Plan(request(items=[{**RIGID, "clips": clips}], siblings=changes, views=2))
        (part,) = plan.parts
        units = [plan.units(0, index, 0) for index in range(part.units)]
        assert sum(len(unit) for unit in units) == part.episodes
        assert sum(len(spec.cameras) for unit in units for spec in unit) == part.clips >= clips
        without_last = part.clips - 2 * len(units[-1])
        assert without_last < clips, "no group more than needed"


def test_counting_samples_nothing(monkeypatch):
    def never(*args, **options):
        raise AssertionError("an episode was sampled")

    monkeypatch.setattr(sys.modules["scenes.sample"], "sample", never)  # the package's own `sample` is the function
    monkeypatch.setattr("scenes.sibling_specs.sample", never)
    assert sum(part.clips for part in Plan(request(template="phys4d-full", items=[RIGID])).parts) == 12
    assert Plan(request(siblings={"gravity": [5.0, 9.8]}, items=[{**RIGID, "clips": 10**8}])).parts[0].clips == 10**8
    with pytest.raises(AssertionError, match="was sampled"):
        Plan(request()).units(0, 0, 0)


def test_the_first_part_has_the_episodes_of_generate():
    plan = Plan(request(items=[RIGID, RIGID], seeds=[5], ranges={"friction": [0.1, 0.4]}))
    options = {"frame_count": 4, "size": (32, 32), "ranges": {"friction": (0.1, 0.4)}}
    expected = [sample("rigid", seed=5, index=index, **options) for index in range(6)]
    assert plan.units(0, 1, 0) == (expected[1],)
    assert plan.units(1, 0, 0) == (expected[3],), "an equal item goes on where the first one ended"
    assert len(plan.units(1, 2, 0)[0].cameras) == 2, "the last episode of each has the rest of the clips"


def test_no_two_units_of_a_job_are_drawn_alike_or_leak_into_another_split():
    items = [
        {"category": "rigid", "scene": "ledge_tip", "clips": 10},  # held out
        {"category": "rigid", "scene": "bounce", "clips": 10},
        {"category": "rigid", "scene": "bounce", "clips": 10},
        {"category": "rigid", "clips": 10},
    ]
    plan = Plan(request(items=items, sweeps={"gravity": [3.7, 9.8]}, seeds=[1, 2]))  # 3.7 is held out
    specs = [
        spec for part, one in enumerate(plan.parts) for index in range(one.units) for spec in plan.units(part, index, 0)
    ]
    assert len({spec.digest(cameras=False) for spec in specs}) == len(specs) == 4 * 2 * 2 * 2
    assert {spec.split for spec in specs} >= {"train", "test"}
    records = [SplitRecord(clip_id=str(k), spec=spec, listed=spec.split) for k, spec in enumerate(specs)]
    assert leaks(records, held_out_scenes=["ledge_tip"]) == []


def test_siblings_of_two_items_are_of_different_episodes():
    siblings = {"gravity": [5.0, 9.8], "density": [300.0, 900.0]}
    plan = Plan(request(items=[{**RIGID, "clips": 30}, {**RIGID, "clips": 10}], siblings=siblings))
    assert [part.units for part in plan.parts] == [3, 1]
    first = [plan.units(0, index, 0)[0] for index in range(3)]
    (other, _) = plan.units(1, 0, 0)
    assert [spec.index for spec in first] == [0, 0, 1], "one episode gives a group for each parameter"
    assert other.index == 2
    assert other.sibling.parameter == "gravity"


def test_units_come_the_same_in_any_order_and_attempts_replace_them():
    plan, again = Plan(request()), Plan(request())
    forward = [plan.units(0, index, attempt) for index in range(3) for attempt in (0, 3)]
    backward = [again.units(0, index, attempt) for index in (2, 1, 0) for attempt in (3, 0)]
    assert forward == backward[::-1]
    (first,), (other,) = forward[:2]
    assert (first.scene, first.split, first.index) == (other.scene, other.split, other.index)
    assert first.bodies != other.bodies
    assert plan.units(0, 0, ATTEMPTS_MAX) == ()


@pytest.mark.parametrize(("part", "index"), [(0, 3), (1, 0), (-1, 0), (0, -1)])
def test_a_unit_that_is_not_in_the_plan_is_an_error(part, index):
    with pytest.raises(ValueError, match=f"part {part} has no unit {index}"):
        Plan(request()).units(part, index, 0)


def test_given_specs_are_kept_apart_by_kind_and_have_no_replacement():
    first, second = given_spec(), given_spec(seed=9)
    other = given_spec(seed=2).model_copy(update={"category": "cloth"})
    plan = Plan(JobRequest(dataset="data", specs=dumped(first, other, second), backend="mock"))
    assert [(part.category, part.units, part.clips) for part in plan.parts] == [("rigid", 2, 2), ("cloth", 1, 1)]
    (spec,) = plan.units(0, 1, 0)
    assert spec.split in ("train", "val", "test")
    assert spec.model_copy(update={"split": None}) == second.model_copy(update={"split": None})
    assert plan.units(0, 1, 1) == ()


def test_the_first_unit_of_every_item_is_checked_as_a_worker_will():
    plan = Plan(request(items=[RIGID, {"category": "cloth", "clips": 1}]))
    plan.check_first()
    items = [{"category": "articulated", "scene": "door_swing", "clips": 1}, RIGID]
    found = errors(request(items=items, backend="mock"), first=True)
    assert set(found) == {"/items/0"}
    assert "joints.0.kind is 'hinge', which backend 'mock' does not simulate" in found["/items/0"]


def test_ranges_that_a_scene_cannot_have_are_found_by_its_first_unit():
    found = errors(request(items=[{**RIGID, "scene": "ramp_slide"}], ranges={"friction": [1.9, 2.0]}), first=True)
    assert set(found) == {"/items/0"}
    assert "friction" in found["/items/0"]


def test_every_given_spec_is_checked_by_its_number():
    blind = given_spec(seed=3, cameras=(make_camera(position=(0.0, -3.0, 1.0), target=(0.0, -6.0, 1.0)),))
    other = given_spec(seed=4).model_copy(update={"category": "cloth"})
    found = errors(JobRequest(dataset="data", specs=dumped(other, blind, given_spec()), backend="mock"), first=True)
    assert set(found) == {"/specs/1"}
    assert "cannot see anything" in found["/specs/1"]


def test_frames_beyond_the_memory_are_refused_by_their_size(monkeypatch):
    monkeypatch.setattr("simfactory.preflight._available_memory", lambda: 2**20)
    found = errors(request(size=[8192, 8192]), first=True)
    assert set(found) == {"/size"}
    assert "1 MiB are available" in found["/size"]


def test_the_record_tells_a_dataset_how_it_is_split(tmp_path):
    folder = create_dataset(tmp_path / "data", profile="portable").path
    plan = Plan(request(split="80/10/10", hold_out={"friction": [0.3, 0.4]}))
    record_run(folder, plan.record())
    (run,) = read_runs(folder)
    assert run["split"]["shares"] == [0.8, 0.1, 0.1]
    assert run["split"]["held_out_ranges"] == {"friction": [0.3, 0.4]}
    assert "ledge_tip" in run["split"]["held_out_scenes"]
    assert run["job"]["items"][0]["clips"] == 12

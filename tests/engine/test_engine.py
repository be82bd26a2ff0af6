"""The engine: streams, gates and keeps environments apart."""

from functools import partial

import numpy as np
import pytest

import simfactory
from simfactory import quality, tiles
from simfactory.engine import Engine
from simfactory.errors import BackendError, BackendUnavailable, ResourceError, SpecError, UnsupportedBody
from simfactory.preflight import check_disk, check_memory, check_scene
from simfactory.recording import ClipHeader, MemoryRecorder, open_writer
from simfactory.rendering import arrays as rendering_arrays
from simfactory.spec import Box, CameraFixed, CameraSpec, Sphere
from simfactory.store import create_dataset
from simfactory.testing.specs import make_body, make_camera, make_room, make_sheet, make_spec


def recordings(engine, specs, **options):
    recorders = []

    def open_recorder(header):
        recorders.append(MemoryRecorder(header))
        return recorders[-1]

    outcomes = sorted(engine.run(specs, open_recorder=open_recorder, **options), key=lambda outcome: outcome.number)
    return outcomes, [recorder.recording for recorder in recorders]


def rolling_ball(index=0, **options):
    ball = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 0.3), linear_velocity=(1.0 + index, 0.0, 0.0))
    return make_spec(bodies=(ball,), frame_count=5, size=(32, 32), **options).model_copy(update={"index": index})


@pytest.mark.parametrize("backend", ["mock", "newton"])
def test_a_clip_does_not_depend_on_what_is_recorded_beside_it(backend):
    specs = [rolling_ball(index) for index in range(3)]
    _, together = recordings(Engine(backend=backend), specs, environments=3, gate=False)
    for spec, batched in zip(specs, together, strict=True):
        _, (alone,) = recordings(Engine(backend=backend), [spec], gate=False)
        assert alone.clip_id == batched.clip_id
        for name, values in alone.arrays.items():
            np.testing.assert_array_equal(values, batched.arrays[name], err_msg=name)


def test_adding_a_camera_keeps_the_other_clips_identical():
    one = rolling_ball()
    two = one.model_copy(update={"cameras": (*one.cameras, make_camera("second", size=(32, 32)))})
    first, second = simfactory.simulate(one, backend="mock"), simfactory.simulate(two, backend="mock")
    assert first.clips[0].clip_id == second.clips[0].clip_id
    assert first.clips[0].clip_id != second.clips[1].clip_id
    for name, values in first.clips[0].arrays.items():
        np.testing.assert_array_equal(values, second.clips[0].arrays[name], err_msg=name)


@pytest.mark.parametrize("preset", ["draft", "standard"])
def test_frames_that_are_rendered_ahead_are_the_same(monkeypatch, preset):
    specs = [rolling_ball(index) for index in range(2)]
    _, plain = recordings(Engine(backend="mock", preset=preset), specs, gate=False)
    monkeypatch.setattr(tiles, "works_ahead", lambda device: True)
    _, ahead = recordings(Engine(backend="mock", preset=preset), specs, gate=False)
    for one, other in zip(plain, ahead, strict=True):
        for name, values in one.arrays.items():
            np.testing.assert_array_equal(values, other.arrays[name], err_msg=name)


def stored_files(folder, spec):
    """Every file of the clips of a spec in a new dataset, by name within its clip."""
    data = create_dataset(folder, profile="portable").path
    engine = Engine(backend="mock", profile="portable")
    (outcome,) = engine.run([spec], open_recorder=partial(open_writer, data), gate=False)
    assert len(outcome.committed) == len(spec.cameras)
    return {
        (clip.name.partition(".")[0], str(path.relative_to(clip))): path.read_bytes()
        for clip in (data / "clips").glob("*/*.zarr")
        for path in clip.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("modalities", [(), ("depth", "flow_forward"), ("normal",)])
def test_where_frames_are_quantised_changes_no_byte(monkeypatch, tmp_path, modalities):
    spec = rolling_ball()
    orbit = make_camera("orbit", size=(48, 32), orbit_rate=0.4)
    sensors = spec.sensors.model_copy(update={"modalities": modalities})
    spec = spec.model_copy(update={"cameras": (*spec.cameras, orbit), "sensors": sensors})
    packed = stored_files(tmp_path / "packed", spec)
    with monkeypatch.context() as on_a_gpu:
        on_a_gpu.setattr(rendering_arrays, "copies", lambda device: True)
        on_a_gpu.setattr(tiles, "works_ahead", lambda device: True)
        assert stored_files(tmp_path / "copied", spec) == packed
    monkeypatch.setattr(tiles, "packing_steps", lambda clips: None)
    assert stored_files(tmp_path / "values", spec) == packed


@pytest.mark.parametrize("modalities", [("depth", "flow_forward"), ("depth", "flow_forward", "rgb")])
def test_only_what_is_asked_for_is_rendered(modalities):
    full = rolling_ball()
    few = full.model_copy(update={"sensors": full.sensors.model_copy(update={"modalities": modalities})})
    engine = Engine(backend="mock")
    _, (clip,) = recordings(engine, [few], gate=False)
    assert ("shade" in engine.stages.taken()) == ("rgb" in modalities) == ("rgb" in clip.arrays)
    _, (whole,) = recordings(engine, [full], gate=False)
    for name, values in clip.arrays.items():
        np.testing.assert_array_equal(values, whole.arrays[name], err_msg=name)


def test_episodes_of_different_length_and_resolution_run_together():
    short, long = rolling_ball(0), rolling_ball(1).model_copy(update={"frame_count": 7})
    wide = make_camera("wide", size=(48, 32))
    long = long.model_copy(update={"cameras": (*long.cameras, wide)})
    outcomes, clips = recordings(Engine(backend="mock"), [short, long], environments=2, gate=False)
    assert [outcome.trajectory.frame_count for outcome in outcomes] == [5, 7]
    assert [clip.arrays["depth"].shape for clip in clips] == [(5, 32, 32), (7, 32, 32), (7, 32, 48)]


def test_a_refused_episode_commits_nothing(monkeypatch):
    monkeypatch.setattr(quality, "episode_report", lambda *a, **k: quality.QualityReport(reasons=("planted",)))
    outcomes, clips = recordings(Engine(backend="mock"), [rolling_ball()])
    assert outcomes[0].reasons == ("planted",)
    assert not outcomes[0].passed
    assert outcomes[0].committed == ()
    assert clips == []  # refused before rendering


def test_a_clip_that_is_not_wanted_is_not_rendered():
    seen = []

    def open_recorder(header: ClipHeader):
        seen.append(header.camera.name)

    (outcome,) = Engine(backend="mock").run([rolling_ball()], open_recorder=open_recorder, gate=False)
    assert seen
    assert outcome.committed == ()


def test_only_the_wanted_modalities_are_recorded():
    spec = rolling_ball()
    spec = spec.model_copy(update={"sensors": spec.sensors.model_copy(update={"modalities": ("depth",)})})
    arrays = simfactory.simulate(spec, backend="mock").clips[0].arrays
    assert "depth" in arrays
    assert "rgb" not in arrays
    assert "flow_forward" not in arrays


def test_an_unknown_modality_is_refused_with_the_list():
    spec = rolling_ball()
    spec = spec.model_copy(update={"sensors": spec.sensors.model_copy(update={"modalities": ("smell",)})})
    with pytest.raises(SpecError, match=r"smell.*depth"):
        simfactory.simulate(spec, backend="mock")


@pytest.mark.parametrize("device", ["cuda:7", "gpu"])
def test_a_device_that_is_not_there_is_refused_with_the_list(device):
    with pytest.raises(BackendUnavailable, match=rf"no device '{device}'.*this machine has cpu"):
        Engine(backend="mock", device=device)


def test_an_unknown_preset_and_backend_are_refused_with_the_list():
    with pytest.raises(SpecError, match=r"shiny.*draft"):
        simfactory.simulate(rolling_ball(), backend="mock", preset="shiny")
    with pytest.raises(BackendError, match=r"bullet.*mock, newton"):
        simfactory.simulate(rolling_ball(), backend="bullet")


def test_a_body_kind_the_backend_lacks_is_refused_with_who_has_it():
    spec = make_spec(bodies=(make_sheet(),), frame_count=2, size=(16, 16))
    with pytest.raises(UnsupportedBody, match=r"'sheet'.*newton.*mock"):
        check_scene(spec, backend="newton")


def fixed_camera(position):
    return CameraSpec(
        name="eye",
        rig="test",
        width=16,
        height=16,
        field_of_view=60.0,
        path=CameraFixed(position=position, target=(0.0, 0.1, 0.5)),
    )


@pytest.mark.parametrize(
    ("position", "room", "message"),
    [
        ((0.0, 0.0, -1.0), None, "below the ground"),
        ((3.5, 0.0, 1.0), make_room(size=(6.0, 6.0, 3.0)), "inside a wall"),
        ((0.1, 0.1, 0.5), None, "inside body 'box'"),
    ],
)
def test_a_camera_inside_something_is_refused(position, room, message):
    box = make_body("box", Box(size=(1.0, 1.0, 1.0)), position=(0.0, 0.0, 0.5), mobility="static")
    spec = make_spec(bodies=(box,), cameras=(fixed_camera(position),), room=room)
    with pytest.raises(SpecError, match=message):
        check_scene(spec, backend="mock")


def away_camera(target):
    path = CameraFixed(position=(0.0, -3.0, 1.0), target=target)
    return CameraSpec(name="eye", rig="test", width=16, height=16, field_of_view=60.0, path=path)


def test_a_camera_that_looks_away_from_all_bodies_is_refused_before_simulating():
    spec = make_spec(bodies=(make_body(),), cameras=(away_camera((0.0, -9.0, 1.0)),), frame_count=24)
    with pytest.raises(SpecError, match=r"cameras\.0 \(eye\) cannot see anything: no body comes into its picture"):
        check_scene(spec, backend="mock")
    check_scene(make_spec(bodies=(make_body(),), cameras=(away_camera((0.0, 0.0, 1.0)),)), backend="mock")


def test_a_camera_that_waits_for_a_thrown_body_is_allowed():
    thrown = make_body(position=(-6.0, 0.0, 1.0), linear_velocity=(6.0, 0.0, 3.0))
    waiting = away_camera((0.0, 0.0, 1.5))
    still = make_spec(bodies=(make_body(position=(-6.0, 0.0, 0.2)),), cameras=(waiting,), frame_count=24)
    with pytest.raises(SpecError, match="cannot see anything"):
        check_scene(still, backend="mock")
    check_scene(make_spec(bodies=(thrown,), cameras=(waiting,), frame_count=48), backend="mock")


def test_a_camera_at_the_point_it_looks_at_is_refused():
    with pytest.raises(ValueError, match="give a target elsewhere"):
        away_camera((0.0, -3.0, 1.0))


def test_a_camera_close_to_a_body_is_allowed():
    box = make_body("box", Box(size=(1.0, 1.0, 1.0)), position=(0.0, 0.0, 0.5), mobility="static")
    check_scene(make_spec(bodies=(box,), cameras=(fixed_camera((0.0, -0.51, 0.5)),)), backend="mock")


def test_what_does_not_fit_is_refused_with_need_and_supply(tmp_path):
    camera = make_camera("huge", size=(4096, 4096))
    spec = make_spec(cameras=(camera,)).model_copy(update={"frame_count": 10_000})
    with pytest.raises(ResourceError, match=r"4096x4096.*10000 frames need .* GiB.*available"):
        check_memory(spec, preset="draft", in_memory=True)
    with pytest.raises(ResourceError, match=r"100000 frames at 4096x4096 need .* GiB.*free"):
        check_disk(spec.model_copy(update={"frame_count": 100_000}), tmp_path / "new", profile="archive")
    assert list(tmp_path.iterdir()) == []


def test_an_episode_that_leaves_all_bounds_is_refused_and_simulated_no_further():
    lost = make_body("ball", Sphere(radius=0.2), position=(0.0, 0.0, 0.3), linear_velocity=(90.0, 0.0, 0.0))
    spec = make_spec(bodies=(lost,), fps=4.0, frame_count=40, size=(16, 16), gravity=(0.0, 0.0, 0.0))
    outcomes, clips = recordings(Engine(backend="mock"), [spec, rolling_ball()], environments=2)
    assert outcomes[0].reasons == ("out_of_bounds",)
    assert outcomes[0].trajectory.frame_count == 6  # 22.5 m a frame
    assert outcomes[1].trajectory.frame_count == 5
    assert len(clips) == 1

"""What the clip viewer is sent is what is stored: dequantised, unprojected and summed up again here."""

import gzip
import io
import json
import tarfile

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.local_view import OneToken, make_view
from api.testing.clips import make_clips
from api.viewer.cloud import background_points
from api.viewer.mechanics import mechanics
from api.viewer.packing import pack, quantise, unpack
from simfactory.dataset import Clip, open_dataset
from simfactory.errors import CorruptClip
from simfactory.exporters.painting import painters, painting_ranges
from simfactory.quality import verify_clip
from simfactory.signals import Signal
from simfactory.store import ClipWriter, clip_id, create_dataset, validate
from simfactory.transforms import invert_pose, pixel_centers, project, quat_to_matrix, transform_points, unproject

TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Two cameras on a body that slides down a ramp, one of which moves."""
    return make_clips(tmp_path_factory.mktemp("payloads") / "rigid", scene="ramp_stick")


@pytest.fixture(scope="module")
def clips(dataset) -> list[Clip]:
    found = list(open_dataset(dataset))
    return sorted(found, key=lambda clip: np.ptp(clip.read("camera/camera_to_world")[:, :3, 3], axis=0).max())


@pytest.fixture(scope="module", params=["fixed", "moving"])
def clip(request, clips) -> Clip:
    return clips[["fixed", "moving"].index(request.param)]


@pytest.fixture(scope="module")
def client(clips) -> TestClient:
    return client_of(clips)


def client_of(clips) -> TestClient:
    app = make_view({clip.id: clip for clip in clips}, OneToken(TOKEN, 0))
    client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    client.headers["authorization"] = f"Bearer {TOKEN}"
    return client


def dequantised(header: dict, differences: np.ndarray) -> np.ndarray:
    """Read positions as a browser does."""
    steps = np.cumsum(differences, axis=1, dtype=np.uint16).T
    return np.asarray(header["low"]) + np.asarray(header["step"]) * steps


def fetched(client, clip, path) -> tuple[dict, dict]:
    answer = client.get(f"/v1/clips/{clip.id}/{path}")
    assert answer.status_code == 200, answer.text
    return unpack(answer.content)


def test_stored_points_arrive_within_half_a_step(client, clip):
    header, arrays = fetched(client, clip, "cloud?start=2&count=5")
    position = dequantised(header["position"], arrays["position"])
    step = np.asarray(header["position"]["step"])
    assert step.max() < 1e-4  # [m]: what is said of the error is worth something
    for k in range(5):
        stored = clip.window(2 + k, 1, modalities=["points"])
        count = header["stored"][k]
        assert count == len(stored["points/position"]) > 10
        rows = slice(arrays["offsets"][k], arrays["offsets"][k] + count)
        error = np.abs(position[rows] - stored["points/position"][:, :3])
        assert (error <= step / 2 + 1e-9).all()
        np.testing.assert_array_equal(arrays["instance"][rows], stored["points/instance"])
        velocity = arrays["velocity"][rows] * header["velocity"]["step"]
        assert np.abs(velocity - stored["points/velocity"]).max() <= header["velocity"]["step"] / 2 + 1e-6


def test_points_have_the_colour_of_their_own_pixel(client, clip):
    header, arrays = fetched(client, clip, "cloud?start=3&count=1&background=no")
    position = dequantised(header["position"], arrays["position"])
    window = clip.window(3, 1, modalities=["rgb", "camera", "instance"])
    seen = transform_points(invert_pose(window["camera/camera_to_world"][0]), position)
    column, row = np.floor(project(seen, window["camera/K"][0])).astype(int).T
    np.testing.assert_array_equal(arrays["colour"], window["rgb"][0][row, column])
    np.testing.assert_array_equal(arrays["instance"], window["instance"][0][row, column])


def test_moving_bodies_are_complete_and_without_duplicates(client, clip):
    """Each pixel of a body that ever moves gives one point: the stored one, else unprojected depth."""
    moving = np.unique(clip.read("points/instance"))
    _, arrays = fetched(client, clip, "cloud?start=0&count=4&background=no")
    instance = clip.window(0, 4, modalities=["instance"])["instance"]
    expected = [np.isin(instance[k], moving).sum() for k in range(4)]
    assert np.diff(arrays["offsets"]).tolist() == expected


def test_the_background_is_unprojected_depth(client, clips):
    clip = clips[0]
    header, arrays = fetched(client, clip, "cloud?start=0&count=1")
    assert header["background"]["seen"] == [0]
    found = dequantised(header["background"], arrays["background_position"])
    window = clip.window(0, 1, modalities=["depth", "camera", "instance", "rgb"])
    still = np.isfinite(window["depth"][0]) & ~np.isin(window["instance"][0], np.unique(clip.read("points/instance")))
    seen = unproject(pixel_centers(clip.height, clip.width)[still], window["depth"][0][still], window["camera/K"][0])
    expected = transform_points(window["camera/camera_to_world"][0], seen)
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= np.asarray(header["background"]["step"]) / 2 + 1e-9).all()
    np.testing.assert_array_equal(arrays["background_colour"], window["rgb"][0][still])
    np.testing.assert_array_equal(arrays["background_instance"], window["instance"][0][still])


def test_a_moving_camera_adds_what_it_sees_later_and_nothing_twice(clips):
    clip = clips[1]
    moving = np.unique(clip.read("points/instance"))
    points, seen = background_points(clip, 100_000, moving)
    assert len(seen) > 2
    first = clip.window(0, 1, modalities=["depth", "instance", "camera"])
    still = np.isfinite(first["depth"][0]) & ~np.isin(first["instance"][0], moving)
    later = points.position[int(still.sum()) :]
    assert len(later) > 50
    camera = transform_points(invert_pose(first["camera/camera_to_world"][0]), later)
    raster = project(camera, first["camera/K"][0])
    inside = (camera[:, 2] > 0) & ((raster >= 0) & (raster < (clip.width, clip.height))).all(axis=1)
    column, row = raster[inside].astype(int).T
    depth = first["depth"][0][row, column]
    assert (np.abs(depth - camera[inside, 2]) >= 0.02 * camera[inside, 2]).all()  # frame 0 does not show them


@pytest.mark.parametrize("limit", [1, 37, 500, 5000])
def test_no_frame_has_more_points_than_wanted(client, clip, limit):
    header, arrays = fetched(client, clip, f"cloud?start=0&count=3&points={limit}&background=yes")
    still = arrays["background_instance"].size
    assert np.diff(arrays["offsets"]).max() + still <= limit + (limit == 1)
    assert arrays["position"].shape[1] == arrays["offsets"][-1] == len(arrays["colour"])
    assert header["count"] == 3


def test_velocity_is_unknown_where_no_flow_tells_it(client, clip):
    header, arrays = fetched(client, clip, f"cloud?start={clip.frame_count - 1}&count=1")
    stored = header["stored"][0]
    assert (arrays["velocity"][:stored] != header["velocity"]["unknown"]).all()
    assert len(arrays["velocity"]) > stored
    assert (arrays["velocity"][stored:] == header["velocity"]["unknown"]).all()


def test_tracks_arrive_with_the_bits_of_their_visibility(client, clip):
    header, arrays = fetched(client, clip, "tracks?limit=60")
    stored = clip.window(0, clip.frame_count, modalities=["tracks"])
    position = dequantised(header["position"], arrays["position"]).reshape(clip.frame_count, header["count"], 3)
    visible = np.unpackbits(arrays["visible"], axis=1)[:, : header["count"]]
    everywhere = stored["tracks/position"].transpose(2, 1, 0).astype(float)
    distance = np.abs(position[:, :, None] - everywhere[:, None]).max(axis=(0, 3))
    rows = distance.argmin(axis=1)
    assert (distance[np.arange(len(rows)), rows] <= np.max(header["position"]["step"]) / 2 + 1e-9).all()
    assert header["count"] == len(set(rows)) == 60
    np.testing.assert_array_equal(visible, stored["tracks/visible"][rows].T)
    np.testing.assert_array_equal(arrays["instance"], stored["tracks/instance"][rows])
    travelled = np.ptp(stored["tracks/position"], axis=2).max(axis=0) > 0.01
    assert arrays["moves"].sum() == min(travelled.sum(), 60)


def test_a_strip_holds_the_frames_of_ids_exactly(client, clip):
    answer = client.get(f"/v1/clips/{clip.id}/strip/instance?start=4&count=3")
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    paint = painters(clip, [0], names=["instance"])["instance"]
    expected = np.concatenate([paint(frame) for frame in clip.window(4, 3, modalities=["instance"])["instance"]])
    np.testing.assert_array_equal(picture, expected)


@pytest.mark.parametrize("modality", ["rgb", "depth", "normal", "flow_forward", "flow_backward", "scene_flow"])
def test_a_strip_is_near_what_is_painted(client, clip, modality):
    answer = client.get(f"/v1/clips/{clip.id}/strip/{modality}?start=0&count=2")
    assert answer.headers["content-type"] == "image/webp"
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    paint = painters(clip, range(clip.frame_count), names=[modality])[modality]
    expected = np.concatenate([paint(frame) for frame in clip.window(0, 2, modalities=[modality])[modality]])
    # Lossy at quality 92, chroma at half resolution: near on average, as a picture to look at has to be.
    assert np.abs(picture - expected).mean() < 6


def test_colours_mean_the_same_in_all_frames(client, clip):
    """A depth has one colour in the whole clip: that of the range which the description tells."""
    view = client.get(f"/v1/clips/{clip.id}/view").json()
    depth = clip.read("depth")
    finite = depth[np.isfinite(depth)]
    assert view["ranges"]["near"] == pytest.approx(finite.min())
    assert view["ranges"]["far"] == pytest.approx(finite.max())
    length = np.linalg.norm(clip.read("flow_forward"), axis=1)
    longest = np.quantile(length[np.isfinite(length)], 0.99)
    assert view["ranges"]["longest"]["flow_forward"] == pytest.approx(longest, rel=1e-3)
    ranges = painting_ranges(clip, range(clip.frame_count))
    constant = np.full((clip.height, clip.width), 1.0, np.float32)
    shades = [painters(clip, [frame], ranges=ranges)["depth"](constant) for frame in (0, 9)]
    np.testing.assert_array_equal(*shades)


def test_the_description_tells_camera_bodies_and_sizes(client, clip):
    view = client.get(f"/v1/clips/{clip.id}/view").json()
    assert (view["frame_count"], view["width"], view["fps"]) == (clip.frame_count, clip.width, clip.fps)
    poses = np.asarray(view["camera"]["camera_to_world"]).reshape(-1, 4, 4)
    np.testing.assert_allclose(poses, clip.read("camera/camera_to_world"), atol=1e-6)
    np.testing.assert_allclose(view["camera"]["K"], clip.read("camera/K")[0])
    assert [body["name"] for body in view["bodies"]] == [body["name"] for body in clip.spec["bodies"]]
    assert view["bodies"][2]["material"] == clip.spec["bodies"][2]["physical"]["name"]
    assert view["quality"]["passed"] is True
    assert view["spec"]["shown"] == clip.spec
    assert sum(view["bytes"].values()) == sum(clip.stored_bytes().values())
    assert view["caption"] == clip.caption


def test_answers_are_compressed_and_kept(client, clip):
    for path in ("view", "cloud", "tracks", "mechanics", "strip/rgb"):
        answer = client.get(f"/v1/clips/{clip.id}/{path}", headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200
        assert answer.headers["cache-control"].startswith("private")
        assert ("content-encoding" in answer.headers) == (path != "strip/rgb")
        again = client.get(f"/v1/clips/{clip.id}/{path}", headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        plain = client.get(f"/v1/clips/{clip.id}/{path}", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content
    with client.stream("GET", f"/v1/clips/{clip.id}/cloud", headers={"accept-encoding": "gzip"}) as raw:
        sent = b"".join(raw.iter_raw())
    assert unpack(gzip.decompress(sent))[0]["clip"] == clip.id


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("cloud?start=16", 404), ("strip/rgb?start=99", 404), ("strip/temperature", 404), ("cloud?points=0", 422),
        ("cloud?count=65", 422), ("cloud?count=64&points=200000", 422), ("tracks?limit=5001", 422),
        ("strip/..%2f..", 404), ("cloud?background=maybe", 422),
    ],
)  # fmt: skip
def test_impossible_wishes_are_problems(client, clip, path, status):
    answer = client.get(f"/v1/clips/{clip.id}/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_strangers_get_nothing(clips):
    client = client_of(clips)
    client.headers.pop("authorization")
    assert client.get(f"/v1/clips/{clips[0].id}/cloud").status_code == 401
    client.headers["host"] = "evil.example"
    assert client.get(f"/v1/clips/{clips[0].id}/view").status_code == 400


def test_the_archive_of_a_clip_unpacks_into_a_sound_dataset(client, clip, tmp_path):
    answer = client.get(f"/v1/clips/{clip.id}/archive")
    assert answer.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path, filter="data")
    assert validate(tmp_path) == []
    copy = open_dataset(tmp_path)
    assert copy.ids == [clip.id]
    assert verify_clip(copy[0]) == []
    np.testing.assert_array_equal(copy[0].read("rgb"), clip.read("rgb"))


def test_the_command_makes_this_very_clip_again(client, clips, tmp_path):
    import shlex
    import subprocess
    import sys

    clip = clips[1]
    view = client.get(f"/v1/clips/{clip.id}/view").json()
    spec = client.get(f"/v1/clips/{clip.id}/spec")
    name = view["reproduce"]["file"]
    assert spec.headers["content-disposition"] == f'attachment; filename="{name}"'
    (tmp_path / name).write_bytes(spec.content)
    words = shlex.split(view["reproduce"]["command"])
    assert words[0] == "simfactory"
    subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, check=True, capture_output=True)
    again = open_dataset(tmp_path / words[words.index("--out") + 1])
    assert again.ids == [clip.id]
    for signal in ("rgb", "depth", "bodies/position", "tracks/position"):
        np.testing.assert_array_equal(again[0].read(signal), clip.read(signal))


# ── mechanics ────────────────────────────────────────────────────────────────────────────────────────────────────────

GRAVITY = np.array([0.0, 0.0, -9.81])
FRAMES, FPS = 25, 50.0


def body_signals() -> list[Signal]:
    state = ("position", "quat_xyzw", "linear_velocity", "angular_velocity")
    return [
        Signal(name="time", dims=("time",), dtype="float64", unit="s", description="Time."),
        Signal(name="bodies/instance", dims=("body",), dtype="uint16", unit="id", description="Id."),
        Signal(name="bodies/mass", dims=("body",), dtype="float64", unit="kg", description="Mass."),
        Signal(name="bodies/inertia", dims=("body", "row", "column"), dtype="float64", unit="kg m2", description="I."),
        *(
            Signal(name=f"bodies/{name}", dims=("time", "body", name), dtype="float32", unit="1", description="State.")
            for name in state
        ),
    ]


def free_fall(folder, *, gravity=GRAVITY, extra=(), arrays=None, bodies=({"name": "ball", "kind": "rigid"},)) -> Clip:
    """A body thrown up that turns about its axis: its states in closed form, in a clip of their own."""
    dataset = create_dataset(folder / "fall", profile="archive")
    time = np.arange(FRAMES) / FPS
    start, spin = np.array([1.0, -2.0, 3.0]), 7.0
    velocity = start + gravity * time[:, None]
    position = np.array([0.5, 0.25, 2.0]) + start * time[:, None] + 0.5 * gravity * time[:, None] ** 2
    half = 0.5 * spin * time
    quat = np.stack([0 * half, np.sin(half), 0 * half, np.cos(half)], axis=-1)
    environment = {} if gravity is None else {"environment": {"gravity": gravity.tolist()}}
    states = {
        "bodies/instance": np.array([3], np.uint16),
        "bodies/mass": np.array([2.0]),
        "bodies/inertia": np.diag([0.1, 0.4, 0.2])[None],
        "bodies/position": position[:, None].astype(np.float32),
        "bodies/quat_xyzw": quat[:, None].astype(np.float32),
        "bodies/linear_velocity": velocity[:, None].astype(np.float32),
        "bodies/angular_velocity": np.tile([0.0, spin, 0.0], (FRAMES, 1, 1)).astype(np.float32),
    }
    writer = ClipWriter(
        dataset,
        clip_id({"made": "by hand"}),
        signals=[*body_signals(), *extra],
        frame_count=FRAMES,
        height=4,
        width=4,
        attributes={"fps": FPS, "spec": {**environment, "bodies": list(bodies)}},
    )
    for each in time:
        writer.append({"time": np.float64(each)})
    writer.commit(arrays={**states, **(arrays or {})}, attributes={}, row={"frame_count": FRAMES, "fps": FPS})
    return open_dataset(dataset)[0]


def test_energy_of_a_free_fall_stays_what_it_was(tmp_path):
    found = mechanics(free_fall(tmp_path))
    body = found["bodies"][0]
    kinetic, potential = np.asarray(body["kinetic"]), np.asarray(body["potential"])
    time = np.asarray(found["time"])
    speed = (9.81 * time - 3.0) ** 2 + 1.0 + 4.0
    np.testing.assert_allclose(kinetic, 0.5 * 2.0 * speed + 0.5 * 0.4 * 49.0, rtol=1e-5)
    np.testing.assert_allclose(potential, 2.0 * 9.81 * (2.0 + 3.0 * time - 0.5 * 9.81 * time**2), rtol=1e-5)
    np.testing.assert_allclose(kinetic + potential, kinetic[0] + potential[0], rtol=2e-6)
    np.testing.assert_allclose(found["total"]["momentum_xyz"][2], 2.0 * (3.0 - 9.81 * time), atol=1e-5)
    np.testing.assert_allclose(body["momentum"], 2.0 * np.sqrt(speed), rtol=1e-5)


def test_turning_energy_uses_the_body_frame_inertia(clips):
    clip = clips[0]
    state = clip.window(0, clip.frame_count, modalities=["bodies"])
    rotation = quat_to_matrix(state["bodies/quat_xyzw"][:, 2])
    world = rotation @ state["bodies/inertia"][2] @ rotation.transpose(0, 2, 1)
    spin, speed = state["bodies/angular_velocity"][:, 2].astype(float), state["bodies/linear_velocity"][:, 2]
    expected = 0.5 * np.einsum("ti,tij,tj->t", spin, world, spin)
    expected += 0.5 * state["bodies/mass"][2] * (speed.astype(float) ** 2).sum(axis=1)
    body = mechanics(clip)["bodies"][2]
    np.testing.assert_allclose(body["kinetic"], expected, rtol=1e-5, atol=1e-9)


def test_bodies_that_do_not_react_have_no_energy_and_say_so(clips):
    plank = mechanics(clips[0])["bodies"][0]
    assert (plank["name"], plank["mass"]) == ("plank", None)
    assert "does not react" in plank["note"]
    assert "kinetic" not in plank


def test_what_is_not_stored_is_named_unknown(tmp_path):
    clip = free_fall(tmp_path, bodies=({"name": "sheet", "kind": "cloth"},))
    found = mechanics(clip)
    assert found["contacts"] is None
    assert any("contacts" in text for text in found["unknown"])
    assert "bending" in found["bodies"][0]["note"]


def test_grains_count_with_their_own_motion(tmp_path):
    signals = [
        Signal(name="particles/instance", dims=("particle",), dtype="uint16", unit="id", description="Id."),
        *(
            Signal(
                name=f"particles/{name}", dims=("time", "particle", "xyz"), dtype="float32", unit="m", description="P."
            )
            for name in ("position", "velocity")
        ),
    ]
    velocity = np.zeros((FRAMES, 4, 3), np.float32)
    velocity[..., 0] = [1.0, -1.0, 2.0, -2.0]  # their mean is at rest, they are not
    arrays = {
        "particles/instance": np.full(4, 3, np.uint16),
        "particles/position": np.ones((FRAMES, 4, 3), np.float32),
        "particles/velocity": velocity,
    }
    found = mechanics(free_fall(tmp_path, extra=signals, arrays=arrays, bodies=({"name": "sand", "kind": "granular"},)))
    body = found["bodies"][0]
    np.testing.assert_allclose(body["kinetic"], 0.5 * 0.5 * (1 + 1 + 4 + 4), rtol=1e-6)
    np.testing.assert_allclose(body["momentum"], 0.0, atol=1e-9)
    np.testing.assert_allclose(body["potential"], 2.0 * 9.81, rtol=1e-6)


def test_impulses_are_summed_by_frame_and_unknown_ones_told(clips):
    clip = clips[0]
    contacts = mechanics(clip)["contacts"]
    offsets = clip.window(0, clip.frame_count, modalities=["contacts"])["contacts/offsets"]
    assert contacts["count"] == np.diff(offsets).astype(float).tolist()
    impulse = clip.read("contacts/impulse")
    assert contacts["unknown"] == np.isnan(impulse).sum()


# ── clips that lack something ────────────────────────────────────────────────────────────────────────────────────────


def test_a_clip_without_pictures_or_points_says_what_it_has(tmp_path):
    clip = free_fall(tmp_path)
    client = client_of([clip])
    view = client.get(f"/v1/clips/{clip.id}/view").json()
    assert (view["pictures"], view["camera"]) == ([], None)
    for path in ("cloud", "tracks", "strip/rgb"):
        answer = client.get(f"/v1/clips/{clip.id}/{path}")
        assert answer.status_code == 404
        assert clip.id in answer.json()["detail"]


def test_a_huge_caption_and_spec_are_cut(tmp_path):
    clip = free_fall(tmp_path, bodies=({"name": "<script>" * 10, "kind": "rigid", "note": "x" * 10_000_000},))
    answer = client_of([clip]).get(f"/v1/clips/{clip.id}/view")
    assert len(answer.content) < 20_000
    assert "10,000,000 characters" in answer.text
    assert json.loads(client_of([clip]).get(f"/v1/clips/{clip.id}/spec").content)["bodies"][0]["note"].endswith("xxx")


def test_damage_is_told(dataset, tmp_path):
    import shutil

    shutil.copytree(dataset, tmp_path / "copy")
    clip = open_dataset(tmp_path / "copy")[0]
    for shard in (clip.path / "depth").glob("c.*"):
        if shard.is_file():
            shard.write_bytes(b"\0" * shard.stat().st_size)
    with pytest.raises(CorruptClip):
        clip.read("depth")
    answer = client_of([clip]).get(f"/v1/clips/{clip.id}/cloud")
    assert answer.status_code == 409
    assert answer.json()["detail"]


def test_messages_survive_packing():
    rng = np.random.default_rng(0)
    arrays = {"a": rng.integers(0, 9, (3, 5), dtype=np.uint8), "b": np.zeros(0, np.uint32), "c": np.float32([1.5])}
    header, found = unpack(pack({"text": "é"}, arrays))
    assert header["text"] == "é"
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    with pytest.raises(ValueError, match="SFV1"):
        unpack(b"nothing of the kind")


def test_quantising_one_place_or_none_gives_no_nonsense():
    single = quantise(np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(single.low + single.step * single.steps, [[1.0, 2.0, 3.0]])
    empty = quantise(np.zeros((0, 3)))
    assert empty.steps.shape == (0, 3)
    assert np.isfinite(empty.low).all()

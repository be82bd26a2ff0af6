"""Scene specs: round trips, rounding, stable digests, and clear refusals."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import scenes
from simfactory.spec import (
    BodyRigid,
    BodySheet,
    Box,
    CameraFixed,
    CameraSpec,
    EnvironmentMap,
    MotionLinear,
    Noise,
    NormalMap,
    PhysicalMaterial,
    Push,
    Room,
    SceneSpec,
    Sky,
    Sphere,
    VisualMaterial,
    json_schema,
)

PHYSICAL = PhysicalMaterial(density=500.0, static_friction=0.5, dynamic_friction=0.4, restitution=0.2)
VISUAL = VisualMaterial()
SPEC_DIGEST = "560ade8f0b6960cc15c9834d347ccff4be15c0417f4bff8dda0c9b85cf03e607"
CAMERA = CameraSpec(
    name="eye",
    rig="ring",
    width=64,
    height=48,
    field_of_view=50.0,
    path=CameraFixed(position=(3.0, 0.0, 1.0), target=(0.0, 0.0, 0.0)),
)


def body(name="ball", **fields):
    return BodyRigid(
        **{
            "name": name,
            "geometry": Sphere(radius=0.2),
            "position": (0.0, 0.0, 1.0),
            "physical": PHYSICAL,
            "visual": VISUAL,
        }
        | fields
    )


def spec(**fields):
    basis = {"scene": "test", "category": "rigid", "tier": "single", "seed": 1, "frame_count": 10, "fps": 24.0}
    return SceneSpec(**basis | {"bodies": (body(),), "cameras": (CAMERA,)} | fields)


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_sampled_specs_survive_json(seed, index):
    original = scenes.sample("rigid", seed=seed, index=index)
    text = original.model_dump_json()
    again = SceneSpec.model_validate_json(text)
    assert again == original
    assert again.digest() == original.digest()
    assert again.model_dump_json() == text


@given(st.floats(-1e4, 1e4))
def test_floats_are_rounded_once_and_stay(value):
    first = body(position=(value, 0.0, 1.0)).position[0]
    assert first == pytest.approx(value, rel=1e-8)
    assert body(position=(first, 0.0, 1.0)).position[0] == first
    assert math.copysign(1.0, first) == 1.0 or first != 0.0


@given(st.floats(1e-3, 9e3), st.integers(-3, 3))
def test_noise_of_a_few_last_bits_changes_no_digest(value, steps):
    # Away from a rounding boundary, that is: the boundary itself is a set of measure 1e-7.
    value = float(f"{value:.6g}")
    noisy = value
    for _ in range(abs(steps)):
        noisy = math.nextafter(noisy, math.inf if steps > 0 else -math.inf)
    clean = body(position=(value, 0.0, 0.0))
    assert spec(bodies=(clean,)).digest() == spec(bodies=(body(position=(noisy, 0.0, 0.0)),)).digest()


def test_minus_zero_and_zero_are_one_number():
    assert spec(bodies=(body(position=(-0.0, 0.0, 1.0)),)).digest() == spec().digest()


def test_the_digest_can_leave_out_cameras():
    other = CAMERA.model_copy(update={"name": "other"})
    assert spec(cameras=(other,)).digest() != spec().digest()
    assert spec(cameras=(other,)).digest(cameras=False) == spec().digest(cameras=False)


def test_an_open_shutter_changes_the_digest_and_survives_json():
    opened = CAMERA.model_copy(update={"shutter": 0.5})
    assert "shutter" not in CAMERA.model_dump()
    assert spec(cameras=(opened,)).digest() != spec().digest()
    assert CameraSpec.model_validate_json(opened.model_dump_json()) == opened
    for value in (-0.1, 1.1):
        with pytest.raises(ValidationError, match="shutter"):
            CameraSpec.model_validate({**CAMERA.model_dump(), "shutter": value})


def test_digests_never_change():
    """A changed digest changes clip ids: bump the schema version instead of this value."""
    assert spec().digest() == SPEC_DIGEST


@pytest.mark.parametrize("fps", [1.0, 10.0, 24.0, 30.0, 59.94, 60.0, 240.0, 1000.0])
def test_steps_are_never_longer_than_a_240th_of_a_second(fps):
    count = spec(fps=fps).substep_count
    assert fps * count >= 240.0 - 1e-6
    assert count == 1 or fps * (count - 1) < 240.0


def test_the_duration_is_the_time_of_the_last_frame():
    assert spec(frame_count=25, fps=24.0).duration == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"frame_count": 0}, "frame_count"),
        ({"fps": float("nan")}, "fps"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"tier": "hard"}, "tier"),
        ({"cameras": ()}, "cameras"),
        ({"bodies": (body(), body())}, r"bodies repeats \['ball'\]"),
        ({"cameras": (CAMERA, CAMERA)}, r"cameras repeats \['eye'\]"),
        (
            {"motions": (MotionLinear(body="ball", velocity=(1.0, 0.0, 0.0)),)},
            r"allowed are the kinematic bodies: \[\]",
        ),
        (
            {"triggers": (Push(body="cube", time=0.1, impulse=(1.0, 0.0, 0.0)),)},
            r"allowed are the dynamic bodies: \['ball'\]",
        ),
        ({"room": Room(size=(8.0, 8.0, 3.0), physical=PHYSICAL, visual=VISUAL)}, "a room stands on a ground"),
    ],
)
def test_a_spec_that_breaks_a_rule_is_refused_by_name(fields, message):
    with pytest.raises(ValidationError, match=message):
        spec(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"geometry": {"shape": "helix", "radius": 1.0}}, "shape"),
        ({"geometry": {"shape": "box", "size": (0.1, -0.1, 0.1)}}, "size"),
        ({"orientation": (0.0, 0.0, 0.0, 2.0)}, "has length 1, this one has 2"),
        ({"mobility": "static", "linear_velocity": (1.0, 0.0, 0.0)}, "give it a motion instead"),
        ({"linear_velocity": (101.0, 0.0, 0.0)}, "linear_velocity"),
        ({"name": "Red Ball"}, "name"),
    ],
)
def test_a_body_that_breaks_a_rule_is_refused_by_name(fields, message):
    with pytest.raises(ValidationError, match=message):
        body(**fields)


def test_sliding_friction_above_static_friction_is_refused():
    with pytest.raises(ValidationError, match="sliding friction is never the larger one"):
        PhysicalMaterial(density=500.0, static_friction=0.3, dynamic_friction=0.4, restitution=0.2)


def test_specs_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        spec().seed = 2


def test_bodies_of_every_kind_are_told_apart_by_their_kind():
    sheet = BodySheet(
        name="sheet",
        position=(0.0, 0.0, 1.0),
        size=(1.0, 1.0),
        amplitude=0.1,
        frequency=1.0,
        physical=PHYSICAL,
        visual=VISUAL,
    )
    record = json.loads(
        spec(bodies=(body(), sheet, body("cube", geometry=Box(size=(0.1, 0.1, 0.1))))).model_dump_json()
    )
    assert [item["kind"] for item in record["bodies"]] == ["rigid", "sheet", "rigid"]
    assert [type(item) for item in SceneSpec.model_validate(record).bodies] == [BodyRigid, BodySheet, BodyRigid]


def test_every_field_of_the_schema_is_bounded_or_explained():
    definitions = json_schema()["$defs"]
    silent = [
        f"{name}.{field}"
        for name, model in definitions.items()
        for field, schema in model.get("properties", {}).items()
        if schema.get("type") == "number" and "description" not in schema
    ]
    assert not silent, "numbers say what they are, their unit and their range"


def test_later_fields_count_only_where_they_say_something_new():
    plain = spec().digest()
    mapped = Sky(environment_map=EnvironmentMap(digest="0" * 64))
    assert spec(sky=mapped).digest() != plain
    assert spec(sky=mapped).digest() != spec(sky=Sky(environment_map=EnvironmentMap(digest="1" * 64))).digest()
    relief = VisualMaterial(normal_map=NormalMap(digest="0" * 64, scale=1.0))
    assert spec(bodies=(body(visual=relief),)).digest() != spec(bodies=(body(visual=VisualMaterial()),)).digest()
    folded = [VisualMaterial(texture=Noise(color=(0, 0, 0), scale=1.0, ridged=ridged)) for ridged in (False, True)]
    first, second = (spec(bodies=(body(visual=visual),)).digest() for visual in folded)
    assert first != second

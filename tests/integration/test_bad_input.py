"""Bad input: one clear line that names the field and the range, a non-zero exit, nothing left behind."""

import hashlib
import json
import sys

import pytest

from simfactory.cli import main
from tests.integration.conftest import Command


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """A usual spec, as text."""
    return Command(tmp_path_factory.mktemp("spec"))(
        "spec", "sample", "--frames", "4", "--size", "32x32", "--views", "1"
    )


@pytest.fixture
def refused(tmp_path, monkeypatch, capfd):
    """Run `simfactory` in a folder and in this process, for one of its own takes seconds to start; it must fail."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["simfactory", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code
        return "".join(capfd.readouterr())

    return run


def change(path, value):
    """Return a function that sets one field of a spec."""

    def apply(spec):
        *parents, last = path
        for key in parents:
            spec = spec[key]
        spec[last] = value

    return apply


BODY = ("bodies", 0)
MESH = {"shape": "mesh", "digest": "0" * 64}
IMAGE = {"pattern": "image", "digest": "0" * 64, "scale": 1.0}
RELIEF = {"digest": "0" * 64, "scale": 1.0}
WATER = {
    "kind": "fluid",
    "name": "water",
    "position": [0, 0, 0.2],
    "geometry": {"shape": "sphere", "radius": 0.1},
    "spacing": 0.02,
    "physical": {"density": 1000, "static_friction": 0.1, "dynamic_friction": 0.1, "restitution": 0},
    "visual": {},
}
ROPE = {
    "kind": "rope",
    "name": "rope",
    "position": [0, 0, 1],
    "geometry": {"shape": "cord", "radius": 0.01, "points": [[0, 0, 0], [0, 0, 0]]},
    "physical": WATER["physical"],
    "visual": {},
}


def put_water_on_nothing(spec):
    spec["bodies"], spec["joints"] = [WATER], []
    spec["room"], spec["ground"] = None, None


SPECS = {
    "a liquid without a floor": (put_water_on_nothing, ["no floor", "water", "`ground`"]),
    "a liquid in the floor": (
        change(BODY, {**WATER, "position": [0, 0, 0.05]}),
        ["water", "the ground"],
    ),
    "a rope of no length": (change(BODY, ROPE), ["bodies.0", "points 0 and 1", "the same"]),
    "a body that keeps its volume for certain": (
        change((*BODY, "physical", "poisson_ratio"), 0.5),
        ["poisson_ratio", "0.49", "0.5"],
    ),
    "a body too stiff for its mesh": (
        change(
            BODY,
            {
                **{key: WATER[key] for key in ("name", "visual")},
                "kind": "soft_body",
                "position": [0, 0, 1],
                "geometry": {"shape": "sphere", "radius": 0.1},
                "physical": {**WATER["physical"], "young_modulus": 1e10},
            },
        ),
        ["water", "young_modulus up to", "softer"],
    ),
    "negative density": (change((*BODY, "physical", "density"), -3.0), ["bodies.0", "density", "greater than", "-3"]),
    "unknown kind": (change((*BODY, "kind"), "plasma"), ["bodies.0", "plasma", "rigid"]),
    "unknown field": (change(("wobble",), 1), ["wobble", "not permitted"]),
    "a number that is none": (change(("fps",), "NaN"), ["fps"]),
    "camera below the ground": (
        change(("cameras", 0, "path"), {"kind": "fixed", "position": [1, 1, -2], "target": [0, 0, 0]}),
        ["cameras.0", "below the ground"],
    ),
    "too many frames": (change(("frame_count",), 1_000_000), ["frame_count", "100000"]),
    "missing mesh": (change((*BODY, "geometry"), MESH), ["no mesh with digest", "assets add"]),
    "missing texture": (change((*BODY, "visual", "texture"), IMAGE), ["image with digest 000", "assets add"]),
    "missing normal map": (change(("ground", "visual", "normal_map"), RELIEF), ["image with digest 000", "assets add"]),
    "missing environment map": (
        change(("sky", "environment_map"), {"digest": "0" * 64}),
        ["environment map", "with digest 000", "assets add"],
    ),
    "a digest that is none": (change(("sky", "environment_map"), {"digest": "sky"}), ["environment_map.digest", "sky"]),
    "a sheet for newton": (
        change(
            BODY,
            {
                "kind": "sheet",
                "name": "sheet",
                "position": [0, 0, 1],
                "size": [1, 1],
                "amplitude": 0.1,
                "frequency": 1,
                "physical": {"density": 100, "static_friction": 0.5, "dynamic_friction": 0.5, "restitution": 0.1},
                "visual": {},
            },
        ),
        ["bodies.0.kind", "sheet", "mock"],
    ),
}


@pytest.mark.parametrize("case", SPECS)
def test_an_impossible_spec_is_refused_in_one_line(refused, tmp_path, sampled, case):
    apply, words = SPECS[case]
    spec = json.loads(sampled)
    spec["motions"], spec["triggers"] = [], []
    apply(spec)
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    expect_refusal(refused, tmp_path, ("--spec", "spec.json"), words)


def test_of_several_specs_the_impossible_one_is_named(refused, tmp_path, sampled):
    good, bad = json.loads(sampled), json.loads(sampled)
    bad["motions"], bad["triggers"] = [], []
    put_water_on_nothing(bad)
    (tmp_path / "specs.json").write_text(json.dumps([good, bad]))
    expect_refusal(refused, tmp_path, ("--spec", "specs.json"), ["spec 2 of 2", "no floor"])


OPTIONS = {
    "frames beyond the disk": (
        ("--size", "4096x4096", "--frames", "100000", "--modalities", "depth"),
        ["GiB", "4096x4096", "free"],
    ),
    "tracks beyond the memory": (
        ("--size", "4096x4096", "--frames", "100000"),
        ["GiB", "4096x4096", "available", "track_spacing"],
    ),
    "size": (("--size", "big"), ["big", "WIDTHxHEIGHT"]),
    "tiny size": (("--size", "8x8"), ["8x8", "16 to 8192"]),
    "category": (("--category", "plasma"), ["plasma", "rigid"]),
    "scene": (("--scene", "nowhere"), ["nowhere", "free_drop"]),
    "tier": (("--tier", "many"), ["many", "two_body"]),
    "rig": (("--cameras", "drone"), ["drone", "orbit"]),
    "views": (("--views", "0"), ["views", "0"]),
    "clips": (("--clips", "0"), ["clips", "0", "at least 1"]),
    "modality": (("--modalities", "smell"), ["smell", "depth"]),
    "backend": (("--backend", "bullet"), ["bullet", "newton"]),
    "preset": (("--preset", "shiny"), ["shiny", "draft"]),
    "profile": (("--profile", "tiny"), ["tiny", "portable", "archive"]),
    "workers": (("--workers", "0"), ["workers", "0"]),
    "seed": (("--seed", "-1"), ["seed", "-1"]),
    "no such spec file": (("--spec", "absent.json"), ["absent.json"]),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_an_impossible_option_is_refused_in_one_line(refused, tmp_path, case):
    options, words = OPTIONS[case]
    expect_refusal(refused, tmp_path, options, words)


def expect_refusal(refused, folder, options, words):
    small = () if "--size" in options else ("--size", "32x32")
    out = refused("generate", "--out", "data", *small, *options)
    (line,) = [line for line in out.splitlines() if line.startswith("error: ")]
    for word in words:
        assert word in line
    assert not (folder / "data").exists(), "nothing half-written is left"


def test_a_broken_mesh_file_is_refused(simfactory, tmp_path):
    (tmp_path / "broken.stl").write_bytes(b"solid nothing here")
    (tmp_path / "sheet.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert "broken.stl" in simfactory("assets", "add", "broken.stl", fails=True)
    assert "not a closed surface" in simfactory("assets", "add", "sheet.obj", fails=True)
    assert "allowed are obj" in simfactory("assets", "add", __file__, fails=True)


def test_a_mesh_without_volume_in_the_asset_folder_is_refused(refused, tmp_path, sampled, monkeypatch):
    """Whoever fills the folder by hand is told before anything is simulated."""
    sheet = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    digest = hashlib.sha256(sheet).hexdigest()
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / f"{digest}.obj").write_bytes(sheet)
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))
    spec = json.loads(sampled)
    spec["motions"], spec["triggers"] = [], []
    spec["bodies"][0]["geometry"] = {"shape": "mesh", "digest": digest}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    words = [digest[:8], "not a closed surface that encloses a volume"]
    expect_refusal(refused, tmp_path, ("--spec", "spec.json"), words)


def test_an_unreadable_environment_map_is_refused(simfactory, tmp_path):
    (tmp_path / "broken.hdr").write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 64 +X 128\nnothing more")
    (tmp_path / "scan.png").write_bytes(b"nothing")
    said = simfactory("assets", "add", "broken.hdr", "--licence", "CC0-1.0", fails=True)
    assert "broken.hdr: cannot read it as an image" in said
    said = simfactory("assets", "add", "scan.png", "--licence", "CC0-1.0", fails=True)
    assert "scan.png: cannot read it as an image" in said
    assert "has no licence" in simfactory("assets", "add", "scan.png", fails=True)
    assert "forest" in simfactory("assets", "list")


def test_a_text_that_is_no_json_is_refused(simfactory, tmp_path):
    (tmp_path / "spec.json").write_text("{not json")
    out = simfactory("generate", "--out", "data", "--spec", "spec.json", fails=True)
    assert "spec.json is not JSON" in out

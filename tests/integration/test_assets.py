"""`simfactory assets` as a user runs it."""

import json

import cv2
import numpy as np
import pytest
import trimesh

from simfactory.preflight import check_scene
from simfactory.spec import MeshAsset, VisualMaterial
from simfactory.testing.specs import make_body, make_spec


@pytest.fixture
def cube(tmp_path, monkeypatch):
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))
    trimesh.creation.box((100.0, 100.0, 100.0)).export(tmp_path / "cube.stl")
    return "cube.stl"


def test_a_mesh_is_added_listed_and_shown(simfactory, cube):
    given = ("--licence", "CC0-1.0", "--source", "https://example.org/cube", "--unit", "mm")
    digest = simfactory("assets", "add", cube, *given).strip()
    assert "CC0-1.0" in simfactory("assets", "list")
    assert json.loads(simfactory("assets", "list", "--json").splitlines()[0])["digest"] == digest
    record = json.loads(simfactory("assets", "show", digest[:10]))
    assert record["source"] == "https://example.org/cube"
    assert record["geometry"] == {"shape": "mesh", "digest": digest, "scale": 0.001}
    assert record["visual"] == {}


def test_what_is_shown_of_a_textured_mesh_goes_into_a_spec(simfactory, tmp_path, monkeypatch):
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))
    cv2.imwrite(str(tmp_path / "skin.png"), np.full((8, 8, 3), 99, np.uint8))
    (tmp_path / "skin.mtl").write_text("newmtl skin\nmap_Kd skin.png\n")
    box = trimesh.creation.box((1.0, 1.0, 1.0))
    lines = ["mtllib skin.mtl", *(f"v {x} {y} {z}" for x, y, z in box.vertices), "vt 0 0", "vt 1 0", "vt 0 1"]
    lines += ["f " + " ".join(f"{v + 1}/{c + 1}" for c, v in enumerate(face)) for face in box.faces]
    (tmp_path / "box.obj").write_text("\n".join(lines) + "\n")
    record = json.loads(simfactory("assets", "show", simfactory("assets", "add", "box.obj").split()[0]))
    body = make_body("box", MeshAsset(**record["geometry"]), visual=VisualMaterial.model_validate(record["visual"]))
    check_scene(make_spec(bodies=(body,)), backend="mock")
    assert body.visual.texture.digest == record["texture_digest"]


def test_what_cannot_be_is_refused_in_one_line(simfactory, cube):
    assert "no record begins with 'abc'" in simfactory("assets", "show", "abc", fails=True)
    assert "furlong" in simfactory("assets", "add", cube, "--unit", "furlong", fails=True)
    assert "no mesh file at absent.obj" in simfactory("assets", "add", "absent.obj", fails=True)

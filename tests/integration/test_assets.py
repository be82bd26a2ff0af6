"""`simfactory assets` as a user runs it."""

import json

import pytest
import trimesh


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


def test_what_cannot_be_is_refused_in_one_line(simfactory, cube):
    assert "no record begins with 'abc'" in simfactory("assets", "show", "abc", fails=True)
    assert "furlong" in simfactory("assets", "add", cube, "--unit", "furlong", fails=True)
    assert "no mesh file at absent.obj" in simfactory("assets", "add", "absent.obj", fails=True)

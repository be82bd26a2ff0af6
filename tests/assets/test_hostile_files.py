"""Hostile mesh files: each is refused with one clear AssetError, and nothing is left behind."""

import struct

import numpy as np
import pytest

from simfactory.assets import add_mesh, limits
from simfactory.errors import AssetError


def refuse(path, words, assets):
    with pytest.raises(AssetError, match=words) as caught:
        add_mesh(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)
    left = list(assets.iterdir()) if assets.exists() else []
    assert not left, "nothing is left in the asset folder"


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("bomb.stl", b"\0" * 80 + struct.pack("<I", 900_000) + b"\0" * 50, "claims 900,000 triangles"),
        ("flood.stl", b"\0" * 80 + struct.pack("<I", 2**32 - 1) + b"\0" * 50, "at most 1,000,000"),
        ("short.stl", b"\0" * 20, "too short"),
        ("bomb.ply", b"ply\nformat ascii 1.0\nelement vertex 99999999999\nend_header\n", "claims 99999999999 vertex"),
        ("negative.ply", b"ply\nformat ascii 1.0\nelement face -5\nend_header\n", "claims -5 face"),
        ("endless.ply", b"ply\nformat ascii 1.0\n" + b"comment x\n" * 10_000, "no PLY header"),
        ("noise.glb", bytes(range(256)) * 4, "no whole GLB 2 file"),
        ("noise.obj", bytes(range(256)) * 40, "noise.obj"),
        ("index.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 999999999\n", "index.obj"),
        ("reverse.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -999999999\n", "reverse.obj"),
        ("shell.obj", b"csh rm -rf /\nv 0 0 0\n", "'csh' statement"),
        ("include.obj", b"call /etc/passwd\nv 0 0 0\n", "'call' statement"),
        ("empty.obj", b"", "empty.obj"),
        ("points.obj", b"v 0 0 0\nv 1 0 0\n", "points.obj"),
    ],
)
def test_false_counts_and_noise_are_refused(tmp_path, assets, name, raw, words):
    (tmp_path / name).write_bytes(raw)
    refuse(tmp_path / name, words, assets)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vertices_that_are_no_numbers_are_refused(obj, ball, assets, value):
    vertices = ball.vertices.copy()
    vertices[7, 1] = value
    refuse(obj(vertices, ball.faces), "not a finite number", assets)


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_sizes_out_of_range_are_refused(obj, ball, assets, factor):
    refuse(obj(ball.vertices * factor, ball.faces), "file units long", assets)


@pytest.mark.parametrize("place", ["../secret.mtl", "/etc/passwd", "http://example.org/a.mtl", "..\\secret.mtl"])
def test_materials_outside_the_folder_are_refused(obj, ball, assets, place):
    refuse(obj(ball.vertices, ball.faces, head=f"mtllib {place}\n"), "only files beside it", assets)


def test_an_image_outside_the_folder_is_refused(obj, ball, assets, tmp_path):
    (tmp_path / "skin.mtl").write_text("newmtl a\nmap_Kd ../../etc/hostname.png\n")
    refuse(obj(ball.vertices, ball.faces, head="mtllib skin.mtl\n"), "only files beside it", assets)


def test_a_link_that_leads_outside_is_refused(obj, ball, assets, tmp_path):
    (tmp_path / "skin.mtl").symlink_to("/etc/passwd")
    refuse(obj(ball.vertices, ball.faces, head="mtllib skin.mtl\n"), "a link that leads elsewhere", assets)


def set_in(document, *path, value):
    *parents, last = path
    for key in parents:
        document = document[key]
    document[last] = value


GLB = {
    "a buffer at an address": (
        lambda d: set_in(d, "buffers", 0, "uri", value="http://example.org/x.bin"),
        "refer to other files",
    ),
    "an image on the disk": (lambda d: set_in(d, "images", value=[{"uri": "/etc/passwd"}]), "refer to other files"),
    "a count like a bomb": (lambda d: set_in(d, "accessors", 0, "count", value=10**12), "accessor claims"),
    "a count that is none": (lambda d: set_in(d, "accessors", 0, "count", value="many"), "where a count belongs"),
    "a view beyond the data": (lambda d: set_in(d, "bufferViews", 0, "byteLength", value=10**9), "reaches beyond"),
    "sparse data": (lambda d: set_in(d, "accessors", 0, "sparse", value={"count": 1}), "sparse"),
    "a compressed mesh": (
        lambda d: set_in(d, "extensionsRequired", value=["KHR_draco_mesh_compression"]),
        "requires the extension",
    ),
    "a node that is its own parent": (
        lambda d: set_in(d, "nodes", value=[{"children": [1]}, {"children": [0], "mesh": 0}]),
        "contain themselves",
    ),
    "a node of two parents": (
        lambda d: set_in(d, "nodes", value=[{"children": [2]}, {"children": [2]}, {"mesh": 0}]),
        "two parents",
    ),
    "a deep chain": (
        lambda d: set_in(d, "nodes", value=[*({"children": [k + 1]} for k in range(500)), {"mesh": 0}]),
        "nested more than 64",
    ),
    "one mesh placed very often": (
        lambda d: set_in(d, "nodes", value=[{"mesh": 0}] * 50_000),
        "at most 1,000,000",
    ),
    "a mesh that is not there": (lambda d: set_in(d, "nodes", value=[{"mesh": 77}]), "shape.glb"),
    "endlessly nested JSON": (lambda d: b"[" * 200_000, "shape.glb"),
    "a factor that is none": (
        lambda d: set_in(d, "materials", value=[{"pbrMetallicRoughness": {"metallicFactor": "much"}}]),
        "where a factor from 0 to 1 belongs",
    ),
    "JSON that is no object": (lambda d: b"[1, 2]", "no object"),
}


@pytest.mark.parametrize("case", GLB)
def test_a_hostile_glb_is_refused(glb, assets, case):
    change, words = GLB[case]
    refuse(glb(change), words, assets)


def test_a_reader_that_takes_too_much_time_or_memory_is_ended(tmp_path, monkeypatch):
    (tmp_path / "greedy.py").write_text(
        "from simfactory.assets.limits import confine, report\n"
        "confine(seconds=1)\n"
        "report(lambda: {'size': len(bytearray(2**40))})\n"
    )
    (tmp_path / "slow.py").write_text(
        "from simfactory.assets.limits import confine, report\n"
        "confine(seconds=1)\n"
        "def work():\n    while True: pass\n"
        "report(work)\n"
    )
    (tmp_path / "dies.py").write_text("import os\nos.abort()\n")
    (tmp_path / "fills.py").write_text(
        "from simfactory.assets.limits import confine, report\n"
        "confine(seconds=1)\n"
        "def work():\n    open('big', 'wb').truncate(2**40)\n    return {}\n"
        "report(work)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for module, words in (
        ("greedy", "GiB of memory are needed"),
        ("slow", "its reader ended with -"),
        ("dies", "its reader ended with -6"),
        ("fills", "fills.stl"),
    ):
        with pytest.raises(AssetError, match=words):
            limits.run_confined(module, label=f"{module}.stl", folder=tmp_path, seconds=1)


def test_a_file_that_is_too_large_is_refused(tmp_path, assets, monkeypatch):
    path = tmp_path / "large.stl"
    with path.open("wb") as stream:
        stream.truncate(limits.BYTES_MAX + 1)
    refuse(path, "at most 268,435,456", assets)

"""Uploaded meshes: what is kept of them, and that what is hostile ends in one clear error and leaves nothing."""

import io
import struct
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import trimesh

from api import uploads
from api.uploads import add_upload, canonical_glb
from simfactory.assets import load_mesh, load_record
from simfactory.errors import AssetError


def exported(mesh, suffix):
    return io.BytesIO(mesh.export(file_type=suffix) if suffix != "obj" else mesh.export(file_type="obj").encode())


def brick():
    return trimesh.creation.box((0.3, 0.2, 0.1))


def refused(stream, name, words, assets, **options):
    with pytest.raises(AssetError, match=words) as caught:
        add_upload(stream, name, **options)
    assert "\n" not in str(caught.value)
    left = list(assets.iterdir()) if assets.exists() else []
    assert not left, "nothing is left in the asset folder"
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["obj", "stl", "ply", "glb"])
def test_a_mesh_of_every_format_is_kept_as_a_glb_under_its_digest(assets, suffix):
    record = add_upload(exported(brick(), suffix), f"C:\\models\\brick 1.{suffix.upper()}", licence="CC0-1.0")
    assert record == load_record(record.digest)
    assert (record.name, record.suffix, record.licence) == ("brick 1.glb", "glb", "CC0-1.0")
    assert record.metres_per_unit == (1.0 if suffix == "glb" else None), "only GLB says what its unit is"
    expected = (0.3, 0.1, 0.2) if suffix == "glb" else (0.3, 0.2, 0.1)  # GLB is y up by its standard
    assert record.extent == pytest.approx(expected, rel=1e-6)
    assert record.volume == pytest.approx(0.006, rel=1e-5)
    vertices, triangles = load_mesh(record.digest)
    assert (len(vertices), len(triangles)) == (8, 12)
    assert {path.name.partition(".")[0] for path in assets.iterdir()} == {record.digest}


def test_the_same_file_again_is_the_same_mesh(assets):
    first = add_upload(exported(brick(), "stl"), "brick.stl")
    before = sorted(path.name for path in assets.iterdir())
    again = add_upload(exported(brick(), "stl"), "other.stl", source="a friend")
    assert again.digest == first.digest
    assert sorted(path.name for path in assets.iterdir()) == before
    assert load_record(first.digest).source == "a friend"


def test_the_canonical_file_holds_the_surface_and_nothing_else(tmp_path):
    mesh = brick()
    raw = canonical_glb(np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32))
    assert raw == canonical_glb(np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32))
    read = trimesh.load_scene(io.BytesIO(raw), file_type="glb").to_geometry()
    turned = mesh.vertices[:, [0, 2, 1]] * [1.0, 1.0, -1.0]
    np.testing.assert_allclose(read.vertices, turned, atol=1e-7)
    assert read.volume == pytest.approx(mesh.volume, rel=1e-5), "its faces look outwards"


def test_images_and_materials_of_an_upload_are_not_kept(assets):
    text = b"mtllib skin.mtl\n" + exported(brick(), "obj").getvalue()
    record = add_upload(io.BytesIO(text), "brick.obj")
    assert record.texture_digest is None
    assert record.factors is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("brick.zip", "brick.zip is zip; allowed are obj, stl, ply, glb"),
        ("brick.fbx", "allowed are obj, stl, ply, glb"),
        ("brick.gltf", "is gltf"),
        ("brick", "without an ending"),
        (".stl", "without an ending"),
        ("", "allowed are obj, stl, ply, glb"),
        ("brick.stl.gz", "is gz"),
    ],
)
def test_other_formats_are_refused(assets, name, words):
    refused(exported(brick(), "stl"), name, words, assets)


def archive():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("brick.obj", b"0" * 10_000_000)
    return made.getvalue()


@pytest.mark.parametrize("raw", [archive(), b"\x1f\x8b\x08" + b"\0" * 99, b"\0" * 257 + b"ustar" + b"\0" * 250])
@pytest.mark.parametrize("suffix", ["obj", "stl", "ply", "glb"])
def test_archives_under_a_false_name_are_refused(assets, raw, suffix):
    refused(io.BytesIO(raw), f"brick.{suffix}", "is an archive or compressed; unpack it", assets)


class Endless(io.RawIOBase):
    """A file without end, that counts what is read of it."""

    taken = 0

    def read(self, size=-1):
        assert size > 0, "never all at once"
        self.taken += size
        return b"#" * size


def test_no_more_than_is_allowed_is_read_of_a_file_without_end(assets, monkeypatch):
    monkeypatch.setattr(uploads, "BYTES_MAX", 1_000_000)
    stream = Endless()
    refused(stream, "brick.obj", "brick.obj has more than 1,000,000 bytes", assets)
    assert stream.taken == 1_000_001


def with_one_bad_vertex(value):
    mesh = trimesh.creation.icosphere(subdivisions=1)
    return "\n".join([
        *(f"v {x} {y} {z}" for x, y, z in mesh.vertices[:-1]), f"v 0 {value} 0",
        *("f " + " ".join(str(k + 1) for k in face) for face in mesh.faces),
    ]).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("empty.obj", b"", "empty.obj is empty"),
        ("bomb.stl", b"\0" * 80 + struct.pack("<I", 900_000) + b"\0" * 50, "bomb.stl: claims 900,000 triangles"),
        ("flood.ply", b"ply\nformat ascii 1.0\nelement vertex 99999999999\nend_header\n", "claims 99999999999 vertex"),
        ("noise.glb", bytes(range(256)) * 4, "noise.glb: no whole GLB 2 file"),
        ("nan.obj", with_one_bad_vertex("nan"), "nan.obj: a vertex is not a finite number"),
        ("inf.obj", with_one_bad_vertex("inf"), "inf.obj: a vertex is not a finite number"),
        ("shell.obj", b"csh rm -rf /\nv 0 0 0\n", "shell.obj: has a 'csh' statement"),
        ("leak.obj", b"mtllib ../../etc/passwd\nv 0 0 0\n", "only files beside it may be named"),
        ("own.obj", b"mtllib /etc/passwd\nv 0 0 0\n", "only files beside it may be named"),
        ("tiny.stl", exported(trimesh.creation.box((0.01, 0.01, 0.01)), "stl").getvalue(), "at least 0.05 are needed"),
    ],
)
def test_a_hostile_file_is_refused_and_nothing_is_left_of_it(assets, name, raw, words):
    refused(io.BytesIO(raw), name, words, assets)


def test_a_name_leads_nowhere(assets, tmp_path):
    record = add_upload(exported(brick(), "stl"), "../../../évil\0\n$(x).stl")
    assert record.name == "_vil____x_.glb"
    assert [path.name for path in tmp_path.iterdir()] == ["assets"]
    assert record.name not in {path.name for path in assets.iterdir()}


def test_a_link_in_the_asset_folder_is_replaced_and_not_followed(assets, tmp_path):
    digest = add_upload(exported(brick(), "stl"), "brick.stl").digest
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (assets / f"{digest}.glb").unlink()
    (assets / f"{digest}.glb").symlink_to(victim)
    add_upload(exported(brick(), "stl"), "brick.stl")
    assert victim.read_text() == "untouched"
    assert not (assets / f"{digest}.glb").is_symlink()


def processes_of(folder):
    """Processes that were started with a folder on Python's path."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended, or is another user's
            if str(folder).encode() in entry.read_bytes():
                found.append(entry.parent.name)
    return found


@pytest.mark.parametrize("where", ["in the reader", "in a process that it started"])
def test_reading_that_does_not_end_is_ended_with_all_its_processes(assets, tmp_path, monkeypatch, where):
    loop = "import time\nwhile True:\n    time.sleep(0.01)\n"
    (tmp_path / "slow_reading.py").write_text(loop)
    start = "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'slow_reading'])\n"
    package = tmp_path / "api"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "uploads.py").write_text(loop if where == "in the reader" else start)
    monkeypatch.syspath_prepend(tmp_path)
    begin = time.monotonic()
    refused(exported(brick(), "stl"), "brick.stl", "brick.stl was not read within 2 s: simplify it", assets, seconds=2)
    assert time.monotonic() - begin < 30
    for _ in range(100):
        if not processes_of(tmp_path):
            break
        time.sleep(0.05)
    assert not processes_of(tmp_path)


@pytest.mark.parametrize(
    "work",
    [
        "import os\nos.abort()\n",
        "print('x' * 100_000)\n",
        "import sys\nsys.exit(3)\n",
    ],
)
def test_a_reader_that_dies_or_babbles_is_an_error(assets, tmp_path, monkeypatch, work):
    package = tmp_path / "api"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "uploads.py").write_text(work)
    monkeypatch.syspath_prepend(tmp_path)
    refused(exported(brick(), "stl"), "brick.stl", "its reader ended with", assets)


def test_memory_and_time_of_the_reader_are_limited(assets, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if sys.argv[:1] == ['-m']:\n"
        "    import simfactory.assets.limits as limits\n"
        "    def report(work):\n"
        "        import json, resource\n"
        "        kinds = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)\n"
        "        print(json.dumps({'error': str([resource.getrlimit(kind) for kind in kinds])}))\n"
        "    limits.report = report\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    told = refused(exported(brick(), "stl"), "brick.stl", "brick.stl: ", assets)
    memory, cpu = 4 * 2**30, 300
    assert f"[({memory}, {memory}), ({cpu}, {cpu}), ({2**29}, {2**29}), (64, 64)]" in told


def test_long_texts_are_refused_before_anything_is_read(assets):
    refused(Endless(), "brick.stl", "at most 200 and 2,000 letters", assets, licence="x" * 201)

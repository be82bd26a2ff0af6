"""An empty asset folder, and mesh files of every kind."""

import json
import struct

import numpy as np
import pytest
import trimesh


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """An asset folder of the test's own."""
    folder = tmp_path / "assets"
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(folder))
    return folder


@pytest.fixture
def ball():
    return trimesh.creation.icosphere(subdivisions=2, radius=0.2)


@pytest.fixture
def glb(tmp_path, ball):
    """A function that writes a GLB file whose JSON was changed."""

    def write(change=lambda document: document, name="shape.glb"):
        raw = trimesh.exchange.gltf.export_glb(trimesh.Scene(ball))
        size = struct.unpack_from("<I", raw, 12)[0]
        document, rest = json.loads(raw[20 : 20 + size]), raw[20 + size :]
        text = change(document)
        encoded = text if isinstance(text, bytes) else json.dumps(text or document).encode()
        encoded += b" " * (-len(encoded) % 4)
        head = struct.pack("<III", 0x46546C67, 2, 20 + len(encoded) + len(rest))
        path = tmp_path / name
        path.write_bytes(head + struct.pack("<II", len(encoded), 0x4E4F534A) + encoded + rest)
        return path

    return write


@pytest.fixture
def obj(tmp_path):
    """A function that writes an OBJ file of a mesh."""

    def write(vertices, faces, *, head="", name="shape.obj"):
        lines = [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in np.asarray(vertices)]
        lines += ["f " + " ".join(str(index + 1) for index in face) for face in np.asarray(faces)]
        path = tmp_path / name
        path.write_text(head + "\n".join(lines) + "\n")
        return path

    return write

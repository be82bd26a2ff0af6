"""User meshes: what is repaired, what is written down, and that hash and arrays are kept."""

import hashlib
import json
import struct

import cv2
import numpy as np
import pytest
import trimesh

from simfactory.assets import (
    add_mesh,
    asset_root,
    list_records,
    load_mesh,
    load_record,
    load_texture_coordinates,
    shipped_meshes,
)
from simfactory.errors import AssetError
from simfactory.maps import add_map
from simfactory.meshes import geometry_mesh
from simfactory.spec import MeshAsset
from simfactory.tetrahedra import geometry_tetrahedra


@pytest.mark.parametrize("suffix", ["obj", "stl", "ply", "glb"])
def test_every_format_gives_the_same_closed_surface(tmp_path, assets, ball, suffix):
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    # GLB is y up by its standard: what is written as (x, z, -y) is read as (x, y, z).
    turned = box.vertices[:, [0, 2, 1]] * [1.0, 1.0, -1.0] if suffix == "glb" else box.vertices
    faces = box.faces
    trimesh.Trimesh(turned, faces, process=False).export(tmp_path / f"box.{suffix}")
    record = add_mesh(tmp_path / f"box.{suffix}")
    vertices, triangles = load_mesh(record.digest)
    assert (len(vertices), len(triangles)) == (8, 12)
    assert record.extent == pytest.approx((0.1, 0.2, 0.3), rel=1e-6)
    assert record.volume == pytest.approx(0.006, rel=1e-6)
    assert record.part_count == 1
    assert record.up_axis == ("y" if suffix == "glb" else "z")
    assert geometry_mesh(MeshAsset(digest=record.digest, scale=2.0)).volume() == pytest.approx(0.048, rel=1e-6)


def test_a_damaged_surface_is_repaired_and_the_repairs_are_counted(assets, ball, obj):
    faces = ball.faces.copy()
    faces[::3] = faces[::3, ::-1]
    loose = ball.vertices[faces].reshape(-1, 3)  # every face with vertices of its own
    single = np.arange(len(loose)).reshape(-1, 3)
    damaged = np.concatenate([single[1:], single[5:8], [[3, 3, 4]]])  # a hole, three doubles, a line
    record = add_mesh(obj(loose, damaged))
    assert record.volume == pytest.approx(ball.volume, rel=1e-2)
    assert record.repairs.closed_holes == 1
    assert record.repairs.dropped_faces == 4
    assert record.repairs.turned_faces >= len(faces) // 3 - 2
    assert record.repairs.merged_vertices > 0
    assert len(trimesh.Trimesh(*load_mesh(record.digest)).vertices) == record.vertex_count
    assert trimesh.Trimesh(*load_mesh(record.digest)).is_watertight


def test_an_inside_out_surface_is_turned(assets, ball, obj):
    record = add_mesh(obj(ball.vertices, ball.faces[:, ::-1]))
    assert record.volume == pytest.approx(ball.volume, rel=1e-6)
    assert record.repairs.turned_faces == len(ball.faces)


def test_a_cavity_stays_a_cavity_when_faces_are_turned(assets, ball, obj):
    inner = ball.copy()
    inner.apply_scale(0.5)
    faces = np.concatenate([ball.faces[:, ::-1], inner.faces + len(ball.vertices)])
    record = add_mesh(obj(np.concatenate([ball.vertices, inner.vertices]), faces))
    assert record.volume == pytest.approx(ball.volume * (1.0 - 0.125), rel=1e-6)


@pytest.mark.parametrize("what", ["an open cup", "a sheet", "a sheet with two sides"])
def test_a_surface_without_a_volume_is_refused(assets, obj, what):
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    flat = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    sheet = np.array([[0, 1, 2], [0, 2, 3]])
    vertices, faces = {
        "an open cup": (box.vertices, box.faces[2:]),
        "a sheet": (flat, sheet),
        "a sheet with two sides": (flat, np.concatenate([sheet, sheet[:, ::-1]])),
    }[what]
    with pytest.raises(AssetError, match="not a closed surface that encloses a volume"):
        add_mesh(obj(vertices, faces))


def test_the_record_says_licence_source_and_unit(tmp_path, assets, ball, obj):
    path = obj(ball.vertices, ball.faces, name="marble.obj")
    record = add_mesh(path, licence="CC0-1.0", source="https://example.org/marble", metres_per_unit=0.01)
    written = json.loads((assets / f"{record.digest}.json").read_text())
    assert written["licence"] == "CC0-1.0"
    assert written["source"] == "https://example.org/marble"
    assert written["metres_per_unit"] == 0.01
    assert written["name"] == "marble.obj"
    assert record.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    cv2.imwrite(str(tmp_path / "image.png"), np.full((8, 8, 3), 99, np.uint8))
    add_map(tmp_path / "image.png", licence="CC0-1.0")
    given = [one for one in list_records() if one.digest not in shipped_meshes().values()]
    assert given == [record] == [load_record(record.digest[:8])], "images beside it are no meshes"
    with pytest.raises(AssetError, match="no record begins with 'ffff"):
        load_record("ffff" * 16)


def test_texture_coordinates_and_image_are_kept(tmp_path, assets, obj):
    (tmp_path / "skin.png").write_bytes(b"\x89PNG\r\n\x1a\n not looked at here")
    (tmp_path / "skin.mtl").write_text("newmtl skin\nmap_Kd skin.png\n")
    box = trimesh.creation.box((1.0, 1.0, 1.0))
    lines = ["mtllib skin.mtl", *(f"v {x} {y} {z}" for x, y, z in box.vertices)]
    # Every corner has a place of its own in the image: vertices on its seams have several.
    places = np.random.default_rng(0).random((36, 2)).round(4)
    lines += [f"vt {u} {v}" for u, v in places]
    lines += [
        "f " + " ".join(f"{v + 1}/{3 * k + c + 1}" for c, v in enumerate(face)) for k, face in enumerate(box.faces)
    ]
    (tmp_path / "box.obj").write_text("\n".join(lines) + "\n")
    record = add_mesh(tmp_path / "box.obj")
    assert record.has_texture_coordinates
    assert record.texture_digest == hashlib.sha256((tmp_path / "skin.png").read_bytes()).hexdigest()
    assert (assets / f"{record.texture_digest}.png").is_file()
    vertices, triangles = load_mesh(record.digest)
    assert len(vertices) == 8
    np.testing.assert_allclose(vertices[triangles], box.vertices[box.faces])
    np.testing.assert_allclose(load_texture_coordinates(record.digest), places.reshape(12, 3, 2), atol=1e-6)


def test_a_folder_that_holds_only_the_file_will_do(assets, ball, obj):
    path = obj(ball.vertices, ball.faces)
    record = add_mesh(path)
    first = load_mesh(record.digest)
    for entry in list(asset_root().iterdir()):
        if entry.suffix != ".obj":
            entry.unlink()
    again = load_mesh(record.digest)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


def test_a_file_that_was_changed_is_refused(assets, ball, obj):
    record = add_mesh(obj(ball.vertices, ball.faces))
    with (assets / f"{record.digest}.obj").open("a") as stream:
        stream.write("# changed\n")
    with pytest.raises(AssetError, match="no longer has the digest in its name"):
        load_mesh(record.digest)


def test_tetrahedra_of_an_asset_are_kept_and_scale_with_it(assets, ball, obj):
    digest = add_mesh(obj(ball.vertices, ball.faces)).digest
    first = geometry_tetrahedra(MeshAsset(digest=digest), resolution=8)
    assert list(assets.glob("*.tets-*.npz"))
    again = geometry_tetrahedra(MeshAsset(digest=digest, scale=2.0), resolution=8)
    assert np.array_equal(first.tets, again.tets)
    np.testing.assert_allclose(again.vertices, 2.0 * first.vertices)
    mesh = geometry_mesh(MeshAsset(digest=digest, scale=2.0))
    np.testing.assert_allclose(again.surface(again.vertices), mesh.vertices, atol=1e-9)


def test_the_image_inside_a_glb_is_kept(tmp_path, assets):
    """One triangle pyramid with texture coordinates, a material, and an image in its binary chunk."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.uint16)
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.25]], np.float32)
    image = b"\x89PNG\r\n\x1a\n not looked at"
    pieces = [corners.tobytes(), faces.tobytes(), places.tobytes(), image]
    starts = np.cumsum([0, *map(len, pieces)])
    views = [{"buffer": 0, "byteOffset": int(starts[k]), "byteLength": len(piece)} for k, piece in enumerate(pieces)]
    accessors = [
        {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", "min": [0] * 3, "max": [1] * 3},
        {"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"},
        {"bufferView": 2, "componentType": 5126, "count": 4, "type": "VEC2"},
    ]
    primitive = {"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "indices": 1, "material": 0}
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "baseColorFactor": [0.2140411, 1.0, 0.0, 1.0],
                    "roughnessFactor": 0.3,
                }
            }
        ],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": int(starts[-1])}],
    }
    text, binary = json.dumps(document).encode(), b"".join(pieces)
    text, binary = text + b" " * (-len(text) % 4), binary + b"\0" * (-len(binary) % 4)
    head = struct.pack("<III", 0x46546C67, 2, 28 + len(text) + len(binary))
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    (tmp_path / "tip.glb").write_bytes(head + chunks)
    record = add_mesh(tmp_path / "tip.glb")
    assert record.texture_digest == hashlib.sha256(image).hexdigest()
    assert record.texture_suffix == "png"
    assert record.has_texture_coordinates
    assert record.factors.base_color == pytest.approx((0.5, 1.0, 0.0), abs=1e-5)
    assert (record.factors.metallic, record.factors.roughness) == (1.0, 0.3)  # metal unless it says otherwise
    expected = places[faces] * [1.0, -1.0] + [0.0, 1.0]  # glTF counts from the upper left, the record from the lower
    np.testing.assert_allclose(load_texture_coordinates(record.digest), expected, atol=1e-6)

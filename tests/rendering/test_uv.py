"""Textures laid on user meshes: each texel where the texture coordinates say, filtered, on rigid and on bent bodies."""

import json
import struct

import cv2
import numpy as np
import pytest
import warp as wp

import simfactory
from simfactory.assets import add_mesh
from simfactory.episode import WorldState, scene_surfaces
from simfactory.errors import SpecError
from simfactory.maps import load_image
from simfactory.rendering import Renderer
from simfactory.rendering.color import linear
from simfactory.rendering.kernels.pictures import Pictures, laid
from simfactory.rendering.pictures import Gallery
from simfactory.spec import (
    BodyRigid,
    BodySoft,
    CameraFixed,
    CameraSpec,
    MeshAsset,
    SceneSpec,
    Sky,
    UvTexture,
    VisualMaterial,
)
from simfactory.transforms import (
    pixel_centers,
    quat_from_axis_angle,
    quat_to_matrix,
    transform_points,
    unproject,
)

CELLS, SIZE = 4, 192
TURN = quat_from_axis_angle((0.3, -0.5, 1.0), 0.8)
FACES = [(axis, sign) for axis in range(3) for sign in (-1.0, 1.0)]


def face_frame(axis, sign):
    """Directions of a cube's face: right and up in its image, seen from outside."""
    normal = np.zeros(3)
    normal[axis] = sign
    right = np.roll(normal, 1) * sign
    return normal, right, np.cross(normal, right)


def write_cube(path, image, *, repeat=1.0, inside_out=False):
    """A GLB cube with edges of 1 m whose faces carry the whole image, `repeat` times; y up, as GLB is."""
    corners, places, faces = [], [], []
    for axis, sign in FACES:
        normal, right, up = face_frame(axis, sign)
        begin = len(corners)
        for u, v in ((0, 0), (1, 0), (1, 1), (0, 1)):
            x, y, z = 0.5 * normal + (u - 0.5) * right + (v - 0.5) * up
            corners.append((x, z, -y))
            places.append((u * repeat, (1 - v) * repeat))  # from the upper left
        faces += [(begin, begin + 1, begin + 2), (begin, begin + 2, begin + 3)]
    order = [0, 2, 1] if inside_out else [0, 1, 2]
    encoded = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
    pieces = [
        np.array(corners, "<f4").tobytes(),
        np.array(places, "<f4").tobytes(),
        np.array(faces, "<u2")[:, order].tobytes(),
        encoded + b"\0" * (-len(encoded) % 4),
    ]
    starts = np.cumsum([0, *map(len, pieces)])
    sizes = [*map(len, pieces[:3]), len(encoded)]
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 24, "type": "VEC3", "min": [-0.5] * 3, "max": [0.5] * 3},
            {"bufferView": 1, "componentType": 5126, "count": 24, "type": "VEC2"},
            {"bufferView": 2, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": int(begin), "byteLength": size}
            for begin, size in zip(starts, sizes, strict=False)
        ],
        "buffers": [{"byteLength": int(starts[-1])}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary = b"".join(pieces)
    head = struct.pack("<III", 0x46546C67, 2, 28 + len(text) + len(binary))
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    path.write_bytes(head + chunks)
    return path


def checker():
    """An image of 4 × 4 cells that no turn or mirror image leaves alone: the upper left quarter is white."""
    cells = (np.indices((CELLS, CELLS)).sum(axis=0) % 2).astype(bool)
    cells[:2, :2] = True
    return np.repeat(np.repeat(np.where(cells[..., None], 255, 0), 16, axis=0), 16, axis=1).repeat(3, 2).astype(
        np.uint8
    ), cells


@pytest.fixture
def cube(tmp_path, monkeypatch):
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))

    def add(**options):
        return add_mesh(write_cube(tmp_path / "cube.glb", checker()[0], **options))

    return add


def scene(record, physical, *, body=BodyRigid, distance=2.6, **fields):
    camera = CameraSpec(
        name="eye",
        rig="ring",
        width=SIZE,
        height=SIZE,
        field_of_view=35.0,
        path=CameraFixed(position=(0.7 * distance, 0.5 * distance, 0.5 * distance), target=(0.0, 0.0, 0.0)),
    )
    part = body(
        name="cube",
        geometry=MeshAsset(digest=record.digest),
        position=(0.0, 0.0, 0.0),
        orientation=TURN,
        physical=physical,
        visual=VisualMaterial(
            base_color=(1.0, 1.0, 1.0), roughness=1.0, texture=UvTexture(digest=record.texture_digest)
        ),
        **fields,
    )
    return SceneSpec(
        scene="test",
        category="rigid",
        tier="single",
        seed=0,
        frame_count=1,
        fps=24.0,
        bodies=(part,),
        environment={"gravity": (0.0, 0.0, 0.0)},
        sky=Sky(intensity=1.0),
        cameras=(camera,),
    )


def predicted(local, *, repeat=1.0):
    """Whether points `(point, 3)` on the cube are white, and how far they are from the next border of a cell [cells].

    From the geometry alone: which face they lie on, and where on it.
    """
    white, margin = np.zeros(len(local), bool), np.zeros(len(local))
    cells = checker()[1]
    for axis, sign in FACES:
        normal, right, up = face_frame(axis, sign)
        on = np.isclose(local @ normal, 0.5, atol=1e-4)
        u, v = ((local[on] @ right + 0.5) * repeat, (local[on] @ up + 0.5) * repeat)
        x, y = CELLS * (u % 1.0), CELLS * (1.0 - v % 1.0)  # rows count downwards
        white[on] = cells[np.floor(y).astype(int) % CELLS, np.floor(x).astype(int) % CELLS]
        margin[on] = np.minimum(np.abs(x - np.round(x)), np.abs(y - np.round(y)))
        edge = np.minimum(0.5 - np.abs(local[on] @ right), 0.5 - np.abs(local[on] @ up))
        margin[on] = np.minimum(margin[on], edge * CELLS)
    return white, margin


@pytest.mark.parametrize(("preset", "repeat", "inside_out"), [("draft", 1.0, False), ("standard", 2.0, True)])
def test_a_clip_shows_every_texel_of_a_glb_where_its_coordinates_say(cube, physical, preset, repeat, inside_out):
    record = cube(repeat=repeat, inside_out=inside_out)
    assert (record.repairs.turned_faces > 0) == inside_out
    spec = scene(record, physical)
    (clip,) = simfactory.simulate(spec, backend="mock", preset=preset).clips
    arrays = {name: clip.arrays[name][0] for name in ("rgb", "depth", "instance", "camera/K", "camera/camera_to_world")}
    hit = arrays["instance"] > 0
    seen = unproject(pixel_centers(SIZE, SIZE)[hit], arrays["depth"][hit], arrays["camera/K"])
    local = transform_points(arrays["camera/camera_to_world"], seen) @ quat_to_matrix(TURN)
    white, margin = predicted(local, repeat=repeat)
    clear = margin > 0.25
    assert clear.sum() > 2000
    rgb = arrays["rgb"][hit].mean(axis=-1)
    assert rgb[clear & white].min() > 110.0
    assert rgb[clear & ~white].max() < 70.0
    assert min((clear & white).sum(), (clear & ~white).sum()) > 500


def bent(vertices):
    """A cube that is drawn out and twisted about z, somewhere in the world."""
    points = vertices @ quat_to_matrix(TURN).T * (1.0, 1.0, 1.3)
    angle = 0.6 * points[:, 2]
    x = np.cos(angle) * points[:, 0] - np.sin(angle) * points[:, 1]
    y = np.sin(angle) * points[:, 0] + np.cos(angle) * points[:, 1]
    return np.stack([x, y, points[:, 2]], axis=-1).astype(np.float32)


@pytest.mark.parametrize("preset", ["draft", "standard"])
def test_a_soft_body_carries_its_texture_along(cube, physical, preset):
    spec = scene(cube(), physical, body=BodySoft, resolution=5, distance=3.2)
    surfaces = scene_surfaces(spec)
    mesh = surfaces[0].mesh
    assert len(mesh.triangles) > 100, "the surface is cut finer than the file's"
    state = WorldState(
        time=0.0,
        position=np.zeros((1, 3), np.float32),
        quat_xyzw=np.array([[0, 0, 0, 1]], np.float32),
        linear_velocity=np.zeros((1, 3), np.float32),
        angular_velocity=np.zeros((1, 3), np.float32),
        vertices={0: bent(mesh.vertices)},
    )
    renderer = Renderer([(spec, surfaces)], preset=preset)
    pose = simfactory.cameras.camera_to_world(spec.cameras[0], [0.0])
    placed = renderer.place([state], 0)
    buffers = renderer.surface(placed, pose, 0)
    rgb = renderer.shade(buffers, placed, pose, 0).tile(0).mean(axis=-1)
    tile = buffers.tile(0)
    hit = tile.instance > 0
    bary = np.concatenate([tile.bary[hit], 1.0 - tile.bary[hit].sum(axis=-1, keepdims=True)], axis=-1)
    rest = np.einsum("pk,pkx->px", bary, mesh.vertices[mesh.triangles[tile.triangle[hit]]])
    white, margin = predicted(rest)
    inner = cv2.erode(hit.astype(np.uint8), np.ones((5, 5))) > 0
    clear = (margin > 0.25) & inner[hit]
    assert min((clear & white).sum(), (clear & ~white).sum()) > 500
    assert rgb[hit][clear & white].min() > 90.0
    assert rgb[hit][clear & ~white].max() < 70.0
    renderer.close()


def test_shapes_without_coordinates_are_told_to_project(cube, physical):
    spec = scene(cube(), physical)
    ball = spec.bodies[0].model_copy(update={"geometry": simfactory.spec.Sphere(radius=0.3)})
    with pytest.raises(SpecError, match="no texture coordinates: use pattern 'image'"):
        scene_surfaces(spec.model_copy(update={"bodies": (ball,)}))


@wp.kernel
def read_at(
    pictures: Pictures,
    places: wp.array(dtype=wp.vec2),
    across: wp.vec2,
    along: wp.vec2,
    values: wp.array(dtype=wp.vec3),
):
    values[wp.tid()] = laid(pictures, 0, places[wp.tid()], across, along)


def read(digest, places, across, along):
    gallery = Gallery([VisualMaterial(texture=UvTexture(digest=digest))], wp.get_device("cpu"))
    values = wp.empty(len(places), dtype=wp.vec3, device="cpu")
    given = wp.array(np.asarray(places, np.float32), dtype=wp.vec2, device="cpu")
    wp.launch(read_at, dim=len(places), inputs=[gallery.pictures, given, wp.vec2(*across), wp.vec2(*along), values])
    return values.numpy()


def test_coordinates_count_from_the_lower_left_and_repeat(cube):
    digest = cube().texture_digest
    texels = linear(load_image(digest, "texture") / 255.0)
    rows, columns = np.array([3, 20, 40]), np.array([5, 50, 33])
    places = np.stack([(columns + 0.5) / 64 + 2.0, 1.0 - (rows + 0.5) / 64 - 3.0], axis=-1)
    np.testing.assert_allclose(read(digest, places, (1e-4, 0.0), (0.0, 1e-4)), texels[rows, columns], atol=1e-3)


def test_a_laid_image_fades_into_its_mean_as_pixels_grow(cube):
    digest = cube().texture_digest
    mean = linear(load_image(digest, "texture") / 255.0).mean(axis=(0, 1))
    places = np.random.default_rng(1).uniform(-3.0, 3.0, (4000, 2))
    spread = []
    for width in (1e-3, 1 / 32, 1 / 4, 1.0, 4.0):
        values = read(digest, places, (0.6 * width, 0.8 * width), (-0.8 * width, 0.6 * width))
        np.testing.assert_allclose(values.mean(axis=0), mean, atol=0.02)
        spread.append(values.std(axis=0).max())
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < 1e-4


def test_a_long_footprint_blurs_along_itself_alone(cube):
    """Along a border of cells readings stay sharp across it, whichever axis of the footprint is the longer."""
    digest = cube().texture_digest
    above, below = [0.125, 0.25 + 0.06], [0.125, 0.25 - 0.06]  # lower left cells: their border is at v = 1/4
    for across, along in (((1e-3, 0.0), (0.0, 0.08)), ((0.08, 0.0), (0.0, 1e-3))):
        values = read(digest, [above, below], across, along)[:, 0]
        assert abs(values[0] - values[1]) > 0.9


def test_far_away_a_cube_has_the_mean_of_its_texture(cube, physical):
    """A texture of 256 repeats is finer than a pixel: the cube looks like a plain one of its mean colour."""
    record = cube(repeat=256.0)
    spec = scene(record, physical)
    mean = linear(load_image(record.texture_digest, "texture") / 255.0).mean()
    value = 1.055 * mean ** (1 / 2.4) - 0.055
    plain = spec.bodies[0].model_copy(
        update={"visual": VisualMaterial(base_color=(value, value, value), roughness=1.0)}
    )
    images = [
        simfactory.simulate(which, backend="mock", preset="draft").clips[0]
        for which in (spec, spec.model_copy(update={"bodies": (plain,)}))
    ]
    inner = cv2.erode((images[0].arrays["instance"][0] > 0).astype(np.uint8), np.ones((5, 5))) > 0
    textured, flat = (clip.arrays["rgb"][0][inner].astype(float) for clip in images)
    assert np.abs(textured - flat).max() < 12.0
    assert abs((textured - flat).mean()) < 1.5

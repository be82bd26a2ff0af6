"""The surface buffer agrees with closed forms and with Embree."""

from dataclasses import replace

import numpy as np
import pytest

from simfactory.cameras import camera_to_world, intrinsics
from simfactory.episode import ROOM, WorldState, scene_surfaces
from simfactory.rendering import Renderer
from simfactory.spec import BodyRigid, CameraOrbit, CameraSpec, Cylinder, Room, SceneSpec, VisualMaterial
from simfactory.transforms import pixel_centers, pose_matrix, unproject

SIZE = 256


@pytest.mark.parametrize("seed", range(6))
def test_ids_and_depth_agree_with_embree(seed, make_scene, make_oracle, open_renderer):
    scene = make_scene(seed, size=SIZE)
    renderer = open_renderer(scene)
    placed = renderer.place([scene.state(0.3)], 0)
    buffer = renderer.surface(placed, scene.cameras(0.3), 0).tile(0)
    instance, triangle, depth = make_oracle(scene, 0.3).surface()
    for identity in np.unique(instance):
        both = np.sum((buffer.instance == identity) & (instance == identity))
        either = np.sum((buffer.instance == identity) | (instance == identity))
        assert both >= 0.9995 * either - 1.0  # one pixel of a tiny instance may lie on an outline
    same = (buffer.instance == instance) & (instance > 0)
    assert np.mean(buffer.triangle[same] == triangle[same]) > 0.995  # the rest lie on shared edges
    assert np.max(np.abs(buffer.depth[same] / depth[same] - 1.0)) < 1e-5


@pytest.mark.parametrize("ceiling", [False, True])
@pytest.mark.parametrize("size", [(14.0, 12.5, 6.0), (3.1, 2.7, 1.5)])  # around the camera, and before it
def test_walls_found_without_a_tree_are_those_that_embree_finds(size, ceiling, make_scene, make_oracle, open_renderer):
    scene = make_scene(3, size=SIZE)
    ground = scene.spec.ground
    room = Room(size=size, ceiling=ceiling, physical=ground.physical, visual=VisualMaterial())
    spec = scene.spec.model_copy(update={"room": room})
    scene = replace(scene, spec=spec, surfaces=scene_surfaces(spec))
    renderer = open_renderer(scene)
    buffer = renderer.surface(renderer.place([scene.state(0.3)], 0), scene.cameras(0.3), 0).tile(0)
    instance, triangle, depth = make_oracle(scene, 0.3).surface()
    walls = (instance == ROOM) & (buffer.instance == ROOM)
    assert walls.sum() > 0.1 * SIZE**2
    assert np.mean(instance == buffer.instance) > 0.9995
    assert np.mean(buffer.triangle[walls] == triangle[walls]) > 0.995  # the rest lie on shared edges
    assert np.max(np.abs(buffer.depth[walls] / depth[walls] - 1.0)) < 1e-5


def test_barycentrics_give_back_the_pixel_and_normals_face_the_camera(make_scene, open_renderer):
    scene = make_scene(2, size=SIZE)
    renderer = open_renderer(scene)
    state, pose = scene.state(0.3), scene.cameras(0.3)
    buffer = renderer.surface(renderer.place([state], 0), pose, 0).tile(0)
    depth = np.where(buffer.instance > 0, buffer.depth, 0.0)
    points = unproject(pixel_centers(SIZE, SIZE), depth, intrinsics(scene.spec.cameras[0]))
    world = points @ pose[0, :3, :3].T + pose[0, :3, 3]
    for surface in scene.surfaces:
        mine = buffer.instance == surface.instance
        corners = scene.points(state, surface)[surface.mesh.triangles[buffer.triangle[mine]]]
        b0, b1 = np.moveaxis(buffer.bary[mine].astype(np.float64), -1, 0)
        weights = np.stack([b0, b1, 1.0 - b0 - b1], axis=-1)
        assert np.allclose(np.einsum("nk,nkx->nx", weights, corners), world[mine], atol=2e-6)
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        cosine = np.einsum("nx,nx->n", normal / np.linalg.norm(normal, axis=-1, keepdims=True), buffer.normal[mine])
        assert np.allclose(np.abs(cosine), 1.0, atol=1e-6)
        assert (np.einsum("nx,nx->n", buffer.normal[mine], world[mine] - pose[0, :3, 3]) < 0.0).all()


def test_ground_depth_is_the_closed_form_of_a_plane(make_scene, open_renderer):
    scene = make_scene(0, size=SIZE)
    renderer = open_renderer(scene)
    pose = scene.cameras(0.0)
    buffer = renderer.surface(renderer.place([scene.state(0.0)], 0), pose, 0).tile(0)
    rays = unproject(pixel_centers(SIZE, SIZE), np.ones((SIZE, SIZE)), intrinsics(scene.spec.cameras[0]))
    falling = (rays @ pose[0, :3, :3].T)[..., 2]
    ground = buffer.instance == 1
    expected = -pose[0, 2, 3] / falling[ground]
    assert np.max(np.abs(buffer.depth[ground] / expected - 1.0)) < 1e-6
    assert (buffer.normal[ground] == (0.0, 0.0, 1.0)).all()


def test_missing_values_are_those_of_the_contract(make_scene, open_renderer):
    scene = make_scene(1, size=64)
    renderer = open_renderer(scene)
    pose = scene.cameras(0.0)
    pose[0, :3, :3] = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # straight up
    pose[0, :3, 3] = (0.0, 0.0, 50.0)
    buffer = renderer.surface(renderer.place([scene.state(0.0)], 0), pose, 0).tile(0)
    assert not buffer.instance.any()
    assert (buffer.triangle == -1).all()
    assert np.isposinf(buffer.depth).all()
    assert not buffer.normal.any()
    assert buffer.instance.dtype == np.uint16
    assert buffer.triangle.dtype == np.int32
    assert buffer.bary.shape == (64, 64, 2)


def test_no_ray_slips_through_an_edge_of_a_closed_body(physical):
    # At this placement a float32 ray through pixel (190, 26) passes between two front triangles of the rod.
    rod = BodyRigid(
        name="rod",
        position=(0.0, 0.0, 1.9),
        geometry=Cylinder(radius=0.00429938522, height=1.4),
        physical=physical,
        visual=VisualMaterial(),
    )
    path = CameraOrbit(
        target=(0.185547431, 0.1231221, 0.47086068),
        radius=3.99797608,
        height=0.87262907,
        azimuth=-2.27116311,
        azimuth_rate=-1.85395097,
    )
    camera = CameraSpec(name="eye", rig="orbit", width=256, height=256, field_of_view=57.6791173, path=path)
    spec = SceneSpec(
        scene="leak", category="rigid", tier="single", seed=0, frame_count=1, fps=24.0, bodies=(rod,), cameras=(camera,)
    )
    surfaces = scene_surfaces(spec)
    position = np.array([[0.00865217112, -0.971405149, 1.87475073]], np.float32)
    quat = np.array([[0.692988038, -0.636460364, -0.338315576, 0.015112495]], np.float32)
    still = np.zeros((1, 3), np.float32)
    state = WorldState(time=0.0, position=position, quat_xyzw=quat, linear_velocity=still, angular_velocity=still)
    pose = camera_to_world(camera, [2.0 / 24.0])
    renderer = Renderer([(spec, surfaces)])
    buffer = renderer.surface(renderer.place([state], 0), pose, 0).tile(0)
    seen = buffer.instance > 0
    corners = surfaces[0].mesh.vertices[surfaces[0].mesh.triangles[buffer.triangle[seen]]]
    outward = (
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        @ pose_matrix(position[0], quat[0])[:3, :3].T
    )
    assert seen[26, 190]
    assert (np.einsum("nx,nx->n", outward, buffer.normal[seen]) > 0.0).all()
    renderer.close()

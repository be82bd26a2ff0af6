"""User meshes in sampled scenes: which bodies get them, that they fit, and that a clip shows them."""

import numpy as np
import pytest
import trimesh

from api.meshes import with_meshes
from api.planner import Plan
from scenes import sample
from scenes.listing import catalogue
from simfactory.assets import add_mesh
from simfactory.engine import Engine
from simfactory.errors import AssetError, SpecError
from simfactory.meshes import body_mesh
from simfactory.preflight import check_scene
from simfactory.protocol import JobRequest
from simfactory.recording import MemoryRecorder
from simfactory.siblings import siblings
from simfactory.spec import (
    Box,
    Capsule,
    Cone,
    Cylinder,
    MeshAsset,
    Prism,
    Push,
    SceneSpec,
    Sphere,
    Superellipsoid,
    Torus,
    Vessel,
)
from simfactory.testing.specs import make_body, make_cloth, make_spec

SHAPES = [
    Box(size=(0.4, 0.2, 0.3)),
    Capsule(radius=0.1, height=0.3),
    Cone(radius=0.2, height=0.4),
    Cylinder(radius=0.2, height=0.1),
    Prism(sides=3, radius=0.2, height=0.3, taper=0.3),
    Sphere(radius=0.2),
    Superellipsoid(radii=(0.1, 0.2, 0.3), exponents=(0.3, 1.5)),
]


def made():
    """A brick, a ball, and an L that is not convex and whose centre is off the middle of its box."""
    corner = trimesh.creation.extrude_triangulation(
        np.array([[0, 0], [3, 0], [3, 1], [1, 1], [1, 3], [0, 3]], float),
        np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]]),
        height=1.0,
    )
    return {
        "brick": trimesh.creation.box((200.0, 100.0, 100.0)),
        "ball": trimesh.creation.icosphere(subdivisions=3, radius=0.7),
        "corner": corner,
    }


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Mesh records by name, as the service keeps them."""
    folder = tmp_path_factory.mktemp("meshes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMFACTORY_ASSETS", str(folder / "assets"))
        found = {}
        for name, mesh in made().items():
            mesh.export(folder / f"{name}.stl")
            found[name] = add_mesh(folder / f"{name}.stl").model_dump(mode="json")
        yield found


def standing_in(spec):
    return {body.name: body for body in spec.bodies if isinstance(getattr(body, "geometry", None), MeshAsset)}


def one_body(geometry, **options):
    return make_spec(bodies=(make_body("thing", geometry, **options),))


@pytest.mark.parametrize("name", ["brick", "ball", "corner"])
@pytest.mark.parametrize("geometry", SHAPES, ids=lambda geometry: geometry.shape)
def test_a_mesh_fits_inside_the_shape_and_touches_it(records, geometry, name):
    spec = one_body(geometry, scale=1.5, aspect=(0.5, 1.0, 2.0))
    (body,) = standing_in(with_meshes(spec, [records[name]])).values()
    mesh, shape = body_mesh(body), body_mesh(spec.bodies[0])
    assert (mesh.vertices.min(axis=0) >= shape.vertices.min(axis=0)).all()
    assert (mesh.vertices.max(axis=0) <= shape.vertices.max(axis=0)).all()
    a, b, c = (shape.vertices[shape.triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    wide = np.linalg.norm(normals, axis=1) > 1e-12
    beyond = (mesh.vertices @ normals[wide].T).max(axis=0) / np.einsum("ij,ij->i", normals[wide], a[wide])
    assert 0.975 < beyond.max() <= 1.0, "it is inside every face, and nearly touches one"


def test_what_is_the_bodys_stays_the_bodys(records):
    spec = one_body(Box(size=(0.4, 0.4, 0.4)), linear_velocity=(1.0, 0.0, 0.0), aspect=(1.0, 1.0, 1.5))
    changed = with_meshes(spec, [records["corner"]])
    before, after = spec.bodies[0], changed.bodies[0]
    assert after.model_copy(update={"geometry": before.geometry}) == before
    assert 0.0 < body_mesh(after).volume() < body_mesh(before).volume(), "its density stays, so its mass shrinks"
    assert changed.caption.endswith("The shape of thing is that of a user's mesh.")
    left = {"bodies", "caption"}
    assert changed.model_dump(exclude=left) == spec.model_dump(exclude=left)


@pytest.mark.parametrize(
    "body",
    [
        make_body("thing", Torus(radius=0.2, tube=0.05)),
        make_body("thing", Vessel(radius=0.2, base_radius=0.1, height=0.2, wall=0.02)),
        make_body("thing", Sphere(radius=0.2), mobility="static"),
        make_body("thing", Sphere(radius=0.2), mobility="kinematic"),
        make_body("thing", Sphere(radius=0.2), temperature=350.0),
    ],
    ids=["ring", "vessel", "static", "prescribed", "hot"],
)
def test_bodies_whose_shape_is_needed_are_left_alone(records, body):
    spec = make_spec(bodies=(body,))
    assert with_meshes(spec, [records["brick"]]) is spec


@pytest.mark.parametrize("phenomenon", ["rolling", "toppling", "stacking", "chain_reaction", "momentum_transfer"])
def test_scenes_about_shapes_are_left_alone(records, phenomenon):
    spec = one_body(Sphere(radius=0.2)).model_copy(update={"phenomena": ("collision", phenomenon)})
    assert with_meshes(spec, [records["brick"]]) is spec


def test_a_body_that_is_pushed_is_left_alone(records):
    bodies = (make_body("pushed", Box(size=(0.2, 0.2, 0.2))), make_body("free", Sphere(radius=0.2)))
    spec = make_spec(bodies=bodies).model_copy(
        update={"triggers": (Push(body="pushed", time=0.1, impulse=(1.0, 0.0, 0.0)),)}
    )
    assert set(standing_in(with_meshes(spec, [records["brick"]]))) == {"free"}


def test_scenes_with_what_deforms_or_flows_are_left_alone(records):
    spec = make_spec(bodies=(make_body("ball", Sphere(radius=0.1)), make_cloth()))
    assert with_meshes(spec, [records["brick"]]) is spec


@pytest.mark.parametrize("scene", ["door_struck", "robot_pushes_block", "domino_row", "bowling", "tower_strike"])
def test_joined_and_grasped_bodies_of_sampled_scenes_keep_their_shapes(records, scene):
    category = next(entry.category for entry in catalogue() if entry.name == scene)
    spec = sample(category, scene=scene, seed=1, size=(32, 32))
    names = set(standing_in(with_meshes(spec, list(records.values()))))
    assert names == ({"ball"} if scene == "door_struck" else set())


def test_without_meshes_nothing_changes():
    spec = one_body(Sphere(radius=0.2))
    assert with_meshes(spec, []) is spec


@pytest.mark.slow
def test_every_sampled_scene_with_meshes_is_a_valid_scene_that_can_be_recorded(records):
    counted = 0
    for entry in catalogue():
        if entry.category in ("rigid", "articulated"):
            spec = sample(entry.category, scene=entry.name, seed=3, frame_count=4, size=(32, 32))
            changed = with_meshes(spec, list(records.values()))
            counted += bool(standing_in(changed))
            assert SceneSpec.model_validate_json(changed.model_dump_json()) == changed
            check_scene(changed, backend="newton")
    assert counted >= 20, "many scenes have bodies that a mesh may stand in for"


def test_the_mesh_follows_the_episode_and_the_body_alone(records):
    meshes = list(records.values())
    bodies = [make_body(f"b{k}", Sphere(radius=0.1), position=(float(k), 0.0, 1.0)) for k in range(12)]
    spec = make_spec(bodies=bodies)
    drawn = {name: body.geometry.digest for name, body in standing_in(with_meshes(spec, meshes)).items()}
    assert set(drawn.values()) == {record["digest"] for record in meshes}
    fewer = make_spec(bodies=bodies[3:5])
    kept = {name: body.geometry.digest for name, body in standing_in(with_meshes(fewer, meshes)).items()}
    assert kept == {name: drawn[name] for name in ("b3", "b4")}
    for change in ({"index": 1}, {"seed": 99}, {"attempt": 1}):
        other = standing_in(with_meshes(spec.model_copy(update=change), meshes))
        assert {name: body.geometry.digest for name, body in other.items()} != drawn


def test_siblings_get_the_same_meshes(records):
    group = siblings(sample("rigid", scene="pile_drop", seed=2, size=(32, 32)), "gravity", (5.0, 9.8))
    first, second = (standing_in(with_meshes(spec, list(records.values()))) for spec in group)
    assert first
    assert first == second


def test_a_mesh_that_is_not_there_is_an_error(records):
    with pytest.raises(AssetError, match="no mesh with digest 0000"):
        with_meshes(one_body(Sphere(radius=0.2)), [{"digest": "0" * 64}])


def test_a_mesh_in_units_too_large_is_an_error(records, tmp_path):
    trimesh.creation.box((1e-4, 1e-4, 1e-4)).export(tmp_path / "speck.stl")
    speck = add_mesh(tmp_path / "speck.stl").model_dump(mode="json")
    with pytest.raises(SpecError, match="at most 100 is allowed: export it in smaller units"):
        with_meshes(one_body(Sphere(radius=0.2)), [speck])


def test_a_plan_puts_the_meshes_of_its_asset_set_into_its_episodes(records):
    request = JobRequest.model_validate(
        {
            "dataset": "data",
            "items": [{"category": "rigid", "scene": "pile_drop", "clips": 5}],
            "frames": 4,
            "size": [32, 32],
            "assets": "set1",
        }
    )
    plan = Plan(request, [records["brick"]])
    plan.check_first()
    (spec,) = plan.units(0, 0, 0)
    assert {body.geometry.digest for body in standing_in(spec).values()} == {records["brick"]["digest"]}


def recorded(spec):
    """The arrays of a scene's only clip, made by newton."""
    recorders = []

    def open_recorder(header):
        recorders.append(MemoryRecorder(header))
        return recorders[-1]

    (outcome,) = Engine(backend="newton").run([spec], open_recorder=open_recorder)
    assert outcome.passed, outcome.reasons
    (recorder,) = recorders
    return recorder.recording.arrays


@pytest.mark.slow
def test_a_clip_that_newton_made_shows_the_mesh_and_weighs_it(records):
    spec = sample("rigid", scene="scatter_toss", seed=0, frame_count=8, size=(64, 64), views=1)
    changed = with_meshes(spec, [records["corner"]])
    number, name = next((k, body.name) for k, body in enumerate(changed.bodies) if body.name in standing_in(changed))
    before, after = recorded(spec), recorded(changed)
    shape, mesh = (arrays["instance"] == arrays["bodies/instance"][number] for arrays in (before, after))
    assert len(mesh) == 8
    assert 0 < mesh[0].sum() < 0.95 * shape[0].sum(), "an L is seen inside of the body's shape"
    seen = np.isin(before["instance"][0], before["bodies/instance"])
    assert not (mesh[0] & ~seen).any(), "and nowhere else, or through what was in front of it"
    body = standing_in(changed)[name]
    assert after["bodies/mass"][number] == pytest.approx(body.physical.density * body_mesh(body).volume(), rel=1e-3)
    assert np.ptp(after["bodies/position"][:, number], axis=0).max() > 0.0

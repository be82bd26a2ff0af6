"""A user's meshes in sampled scenes: they stand in for the shapes of rigid bodies that move freely."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.meshes import geometry_mesh
from simfactory.rng import stream
from simfactory.spec import (
    BodyRigid,
    Box,
    Capsule,
    Cone,
    Cylinder,
    MeshAsset,
    Prism,
    SceneSpec,
    Sphere,
    Superellipsoid,
)

__all__ = ["SCALE_MAX", "with_meshes"]

SIMPLE = Box | Capsule | Cone | Cylinder | Prism | Sphere | Superellipsoid  # convex, and nothing is put into them
SHAPE_MATTERS = frozenset(
    {
        "balance", "bounce", "chain_reaction", "deflection", "impulse", "momentum_transfer", "rolling",
        "stacking", "tipping", "toppling",
    }
)  # fmt: skip
SCALE_MAX = 100.0  # [m per file unit], what specs allow
CAPTION_MAX = 2000  # letters, what specs allow
DIRECTIONS = 1024  # in which a mesh's outermost vertices are looked for
SLACK = 0.98  # of the scale: vertices between these directions reach out at most 0.5 % further

Points = npt.NDArray[np.float64]


def with_meshes(spec: SceneSpec, meshes: Sequence[Mapping[str, Any]]) -> SceneSpec:  # Any: mesh records
    """Return a spec in which meshes stand in for the shapes of rigid bodies that move freely.

    Each such body gets one of the meshes, drawn by the episode and the body's name; siblings of an episode get the
    same. The mesh is made as large as fits into the body's shape, about the same centre, so that nothing touches that
    did not touch before, whatever lies near it. Scale, aspect, pose and velocity are the body's, and so are its
    materials: with its density, the mass follows from the mesh's volume.

    Left alone are bodies whose shape the scene hangs on: all in scenes with a robot, which plans its grasps by them, in
    scenes of what is round or stands on its own (`SHAPE_MATTERS`: rolling, toppling, stacking, ...) and in scenes where
    something deforms or flows, whose solvers are checked against simple shapes alone (a flood among meshes gained
    energy); parts of robots, vessels and rings; bodies in joints, bodies that are pushed by an impulse made for their
    mass, bodies that keep a temperature, and all that do not move or follow a prescribed motion. Scenes without others
    stay as they are.

    Args:
        spec: A sampled scene.
        meshes: Records of the meshes.

    Raises:
        AssetError: A mesh is not in the asset folder.
        SpecError: A mesh would have to be scaled up beyond what specs allow.
    """
    rigid = all(isinstance(body, BodyRigid) for body in spec.bodies)
    if not meshes or not rigid or spec.robot is not None or SHAPE_MATTERS.intersection(spec.phenomena):
        return spec
    bound = {name for joint in spec.joints for name in (joint.parent, joint.child)}
    bound |= {push.body for push in spec.triggers}
    bodies = list(spec.bodies)
    replaced = []
    for number, body in enumerate(bodies):
        if isinstance(body, BodyRigid) and body.name not in bound and _is_free(body):
            draw = stream(spec.seed, spec.category, spec.index, spec.attempt, "mesh", body.name)
            digest = str(draw.choice(meshes)["digest"])
            geometry = MeshAsset(digest=digest, scale=_scale(body, digest))
            bodies[number] = body.model_copy(update={"geometry": geometry})
            replaced.append(body.name)
    if not replaced:
        return spec
    return spec.model_copy(update={"bodies": tuple(bodies), "caption": _caption(spec.caption, replaced)})


def _caption(caption: str, names: Sequence[str]) -> str:
    """Return what happens, and whose shapes are others than it says; as it is where there is no room for that."""
    longer = f"{caption} The shape of {', '.join(names)} is that of a user's mesh.".strip()
    return longer if len(longer) <= CAPTION_MAX else caption


def _is_free(body: BodyRigid) -> bool:
    return body.mobility == "dynamic" and body.temperature is None and isinstance(body.geometry, SIMPLE)


def _scale(body: BodyRigid, digest: str) -> float:
    """Return the scale of a mesh that just fits into a body's shape [m per file unit].

    The body's scale and aspect apply to both alike.

    Raises:
        SpecError: It is larger than specs allow.
    """
    shape = geometry_mesh(body.geometry)
    a, b, c = (shape.vertices[shape.triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    faces = np.linalg.norm(normals, axis=1) > 0.0  # a sphere's mesh has none at its poles
    reach = np.einsum("ij,ij->i", normals[faces], a[faces])
    scale = SLACK * float((reach / (normals[faces] @ _outermost(digest).T).max(axis=1)).min())
    if scale > SCALE_MAX:
        raise SpecError(
            f"mesh {digest[:12]} would be scaled by {scale:.3g} to stand in for body {body.name!r}; at most "
            f"{SCALE_MAX:g} is allowed: export it in smaller units"
        )
    return float(f"{scale:.9g}")  # as what is drawn is kept


@lru_cache(maxsize=64)
def _outermost(digest: str) -> Points:
    """Return vertices `(vertex, 3)` [file units], about the centre, that lie outermost in many directions."""
    vertices = geometry_mesh(MeshAsset(digest=digest)).vertices
    turn = np.arange(DIRECTIONS) + 0.5
    z = 1.0 - 2.0 * turn / DIRECTIONS
    angle, ring = np.pi * (1.0 + 5.0**0.5) * turn, np.sqrt(1.0 - z * z)
    directions = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=-1)
    found = np.concatenate([(vertices @ some.T).argmax(axis=0) for some in np.array_split(directions, 64)])
    return np.asarray(vertices[np.unique(found)])

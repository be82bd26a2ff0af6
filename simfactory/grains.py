"""Where grains are at t = 0, how they are drawn, and whether a scene has room for them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.rng import stream
from simfactory.spec import BodyGranular, Box, Cone, Cylinder, Sphere

__all__ = ["PARTICLE_KINDS", "Grains", "body_grains", "drawn_grains", "grain_ids"]

PARTICLE_KINDS = frozenset({"fluid", "granular"})  # body kinds that consist of particles
JITTER = 0.2  # of the spacing: a lattice without it would shear along its planes

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grains:
    """The grains of a body at rest.

    Attributes:
        centers: `(grain, 3)` body frame [m].
        offsets: `(grain, vertex, 3)` from a grain's centre to the vertices that draw it, body frame [m].
        triangles: `(grain · facets, 3)` int32; those of one grain follow each other.
        mass: Of one grain [kg].
    """

    centers: Array
    offsets: Array
    triangles: npt.NDArray[np.int32]
    mass: float

    def vertices(self, centers: Array, rotation: Array) -> Array:
        """Return the vertices `(vertex, 3)` [m] of grains at given centres `(grain, 3)`, none of which turns.

        Args:
            centers: World frame [m].
            rotation: `(3, 3)` body-to-world.
        """
        return np.asarray((centers[:, None] + self.offsets @ rotation.T).reshape(-1, 3))


def body_grains(body: BodyGranular) -> Grains:
    """Return the grains of a body: the same for the same region, size and looks.

    Raises:
        SpecError: Its region is too thin to hold any.
    """
    return _body_grains(body.model_copy(update={"position": (0.0, 0.0, 0.0), "orientation": (0.0, 0.0, 0.0, 1.0)}))


def drawn_grains(body: BodyGranular) -> tuple[Array, npt.NDArray[np.int32]]:
    """Return vertices `(vertex, 3)` [m] and triangles `(triangle, 3)` of all grains of a body at rest, body frame."""
    grains = body_grains(body)
    return grains.vertices(grains.centers, np.eye(3)), grains.triangles


def grain_ids(body: BodyGranular, triangles: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return which grain of its body each triangle, given by its index, belongs to."""
    return np.asarray(triangles // body.facets, np.int32)


@lru_cache(maxsize=64)
def _body_grains(body: BodyGranular) -> Grains:
    centers = _centers(body)
    if len(centers) == 0:
        raise SpecError(
            f"the region of granular body {body.name!r} is too thin for grains of {body.grain_radius:g} m: allowed is "
            "any in which a grain fits; widen it or use smaller grains"
        )
    ball, faces = _ball(body.facets)
    draw = np.random.Generator(np.random.Philox(key=int(body.facets)))
    count = len(centers)
    # Each grain: the ball, unevenly dented, turned at random.
    dents = 1.0 - body.irregularity * draw.random((count, len(ball), 1))
    offsets = body.grain_radius * np.einsum("gij,gvj->gvi", _turns(draw.standard_normal((count, 4))), dents * ball)
    index = faces[None] + len(ball) * np.arange(count)[:, None, None]
    return Grains(
        centers=centers,
        offsets=offsets,
        triangles=index.reshape(-1, 3).astype(np.int32),
        mass=body.physical.density * body.spacing**3,
    )


def _centers(body: BodyGranular) -> Array:
    """Points of a jittered cubic lattice whose grains lie within the region."""
    radius, step = body.grain_radius, body.spacing
    half = _half_extents(body) - radius
    if (half <= 0.0).any():
        return np.zeros((0, 3))
    lines = [step * (np.arange(n) - 0.5 * (n - 1)) for n in (np.floor(2.0 * half / step).astype(int) + 1)]
    lattice = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 3)
    draw = stream(0, "grains", len(lattice))
    noise = np.random.Generator(np.random.Philox(key=draw.integer(0, 2**62))).random(lattice.shape)
    lattice = np.clip(lattice + JITTER * step * (2.0 * noise - 1.0), -half, half)
    unit = lattice / half
    inside = np.ones(len(lattice), np.bool_)
    match body.geometry:
        case Sphere():
            inside = np.linalg.norm(unit, axis=1) <= 1.0
        case Cylinder():
            inside = np.hypot(unit[:, 0], unit[:, 1]) <= 1.0
        case Cone(height=height):
            inside = np.hypot(unit[:, 0], unit[:, 1]) <= 0.5 * (1.0 - unit[:, 2])
            # A cone's origin is a quarter of its height above the base, a quarter below its middle.
            lattice = lattice + np.array([0.0, 0.0, 0.25 * height * body.factors[2]])
    return np.asarray(lattice[inside])


def _half_extents(body: BodyGranular) -> Array:
    factors = np.asarray(body.factors)
    match body.geometry:
        case Box(size=size):
            return np.asarray(0.5 * np.asarray(size) * factors)
        case Sphere(radius=r):
            return np.asarray(np.array([r, r, r]) * factors)
        case Cylinder(radius=r, height=h) | Cone(radius=r, height=h):
            return np.asarray(np.array([r, r, 0.5 * h]) * factors)


def _turns(quat: Array) -> Array:
    """Return rotation matrices `(n, 3, 3)` of four normal numbers each: uniform on SO(3) once normalised."""
    x, y, z, w = (quat / np.linalg.norm(quat, axis=1, keepdims=True)).T
    return np.stack(
        [
            np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], axis=-1),
            np.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], axis=-1),
            np.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], axis=-1),
        ],
        axis=1,
    )


@lru_cache(maxsize=2)
def _ball(facets: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return vertices on the unit sphere and triangles of an icosahedron, or of one with each face cut into four."""
    golden = (1.0 + 5.0**0.5) / 2.0
    corners = [(s, t * golden, 0.0) for s in (-1.0, 1.0) for t in (-1.0, 1.0)]
    points = np.array([[c[(k + 3 - shift) % 3] for k in range(3)] for shift in range(3) for c in corners])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    edge = np.sort(np.linalg.norm(points[:, None] - points[None], axis=-1), axis=1)[0, 1]
    near = np.abs(np.linalg.norm(points[:, None] - points[None], axis=-1) - edge) < 1e-9
    faces = [
        (a, b, c) if np.linalg.det(points[[a, b, c]]) > 0.0 else (a, c, b)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    if facets == 20:
        return points, np.array(faces)
    middle: dict[tuple[int, int], int] = {}
    vertices = list(points)

    def between(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in middle:
            middle[key] = len(vertices)
            vertices.append((points[a] + points[b]) / np.linalg.norm(points[a] + points[b]))
        return middle[key]

    finer = []
    for a, b, c in faces:
        ab, bc, ca = between(a, b), between(b, c), between(c, a)
        finer += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.array(vertices), np.array(finer)

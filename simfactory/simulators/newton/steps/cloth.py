"""Solver steps of scenes with cloth and inflatables: vertex block descent of these and rigid bodies together."""

import math
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, final

import newton
import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.arms import is_guided
from simfactory.episode import Contacts
from simfactory.errors import SpecError
from simfactory.simulators.newton.bodies.cloth import Membrane, cloth_mesh, made_of, wave_speed
from simfactory.simulators.newton.bodies.inflatable import ATMOSPHERE, gas_energy
from simfactory.simulators.newton.collision import collision_pipeline
from simfactory.simulators.newton.contacts import joined, read_contacts
from simfactory.simulators.newton.descent import ClothDescent, Pinch, Sheet
from simfactory.simulators.newton.forces.cloth_drag import ClothDrag
from simfactory.simulators.newton.impacts import Impacts
from simfactory.simulators.newton.node_contacts import read_meeting_contacts, read_soft_contacts
from simfactory.simulators.newton.steps.base import Steps
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import BodyCloth, BodyInflatable, SceneSpec

__all__ = ["STEPS", "STEPS_MAX", "StepsCloth"]

ITERATIONS = 3
CROSSED = 2.0  # edges that a pressure wave may cross in a solver step
STEPS_LEAST = 2  # solver steps per substep of 1/240 s: nodes move a few millimetres in each
STEPS_MAX = 32
NODE_STIFFNESS = 1e4  # [N/m] of contacts of cloth
SHAPE_STIFFNESS = 1e6  # [N/m] of contacts between rigid ones
FRICTION_SPEED = 1e-2  # [m/s] slip below which friction is viscous
ROUNDING = 2e-4  # of velocities, which are differences of float32 positions
BODY_CONTACTS = 4096  # room for contacts of one rigid body with cloth; beyond it the solver is slower
SELF_DISTANCE = 4e-3  # [m] between layers of cloth that touch
SELF_GAP = 1.2e-2  # [m] how far around it is looked for at least
FASTEST = 6.0  # [m/s] that cloth moves at: twice that way is looked around, so that layers never cross
VERTEX_PAIRS = 64  # room for what touches a node as contacts are read
BOUND = 0.85  # of the way to the nearest layer that a node goes in a step

RULES = {
    "friction": "one Coulomb coefficient a body: the spec's dynamic one; a pair uses the geometric mean of its two "
    "bodies'. Static friction is not modelled separately: slip below 1 cm/s is viscous",
    "restitution": "a pair of rigid bodies uses the mean of its two; cloth gives back what it stores",
    "mass": "density × volume of a rigid shape; of cloth: area_density × area at rest",
    "young_modulus": "not used: cloth has membrane_stiffness, a neo-Hookean membrane, and bending_stiffness, hinges at "
    "edges that bend to cylinders as the plate does and twist as one of Poisson's ratio -1/3",
    "thickness": "layers of cloth are kept 4 mm apart, cloth from rigid bodies 2 mm, or half its thickness "
    "where more, inflatables 0.5 mm",
    "drag": "of cloth, per triangle: ½ ρ A |u| (1.2 (u·n) n + 0.02 (u - (u·n) n)), u the air past it, nothing shaded; "
    "of inflatables 0.35 stands for 1.2: 0.47 of a whole ball; of rigid bodies: ½ ρ C_d A |v - wind| (v - wind), C_d = "
    "0.47 of the ball of equal volume; no torque",
    "gas": "of inflatables: p V = n R T at the scene's temperature, which it keeps; n R T = (101,325 Pa + "
    "gauge_pressure) × volume at t = 0. Outside is the standard atmosphere. The gas has no inertia, and no weight, as "
    "the air around carries that",
    "grip": "points of cloth that lie between a robot's fingers as these close are tied to them by springs of 2e4 N/m "
    "in all, whose force along the pads is at most 2 μ F, F the strength of a finger's drive: beyond that they slip",
    "speed": "parts of cloth move at most 6 m/s, beside what all of it moves in common; faster ways are cut short, so "
    "that layers do not cross",
}


@final
class StepsCloth(Steps):
    """Contact detection and SolverVBD, which moves nodes and rigid bodies together.

    Args:
        worlds: The model's environments.
        dt: Solver step [s].
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"rigid", "cloth", "inflatable"})
    cost: ClassVar[int] = 1
    rules: ClassVar[Mapping[str, str]] = RULES
    guides_robots: ClassVar[bool] = True

    @classmethod
    def per_substep(cls, spec: SceneSpec) -> int:
        """Return the solver steps per substep of a scene.

        A pressure wave may cross at most `CROSSED` edges of the mesh in a solver step: beyond that the few iterations
        of a step leave cloth softer than it is. The same holds for bending waves of the length of an edge.

        Raises:
            SpecError: A body is so stiff or so finely meshed that more than `STEPS_MAX` would be needed.
        """
        dt = 1.0 / (spec.fps * spec.substep_count)
        return max((_steps(body, dt=dt) for body in spec.bodies if isinstance(body, Membrane)), default=1)

    @classmethod
    def variant(cls, spec: SceneSpec) -> tuple[Hashable, ...]:
        """Return the solver's name, and whether there is a robot."""
        return "vbd", is_guided(spec)

    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        model = worlds.model
        model.soft_contact_ke, model.soft_contact_kd = NODE_STIFFNESS, 0.0
        if model.shape_count:
            model.shape_material_ke.fill_(SHAPE_STIFFNESS)
            model.shape_material_kd.fill_(0.0)
        if model.joint_count == 0:  # Newton then gives this table one dimension, its solver wants two
            model.joint_dof_dim = wp.zeros((0, 2), dtype=wp.int32, device=model.device)
        self._dt, self._worlds = dt, worlds
        base = newton.solvers.SolverBase
        self._pinch: Pinch | None = None
        if any(is_guided(spec) for spec in worlds.specs):
            self._pinch = Pinch(model, worlds.specs, node_rows=worlds.node_rows, body_rows=worlds.body_rows)
        self._pipeline = collision_pipeline(
            worlds,
            soft_contact_gap=2.0 * FASTEST * dt,
            enable_rigid_soft_full_surface_contact=True,
        )
        _spare_planes(self._pipeline, model)
        self._solver = ClothDescent(
            model,
            _sheets(worlds),
            dt=dt,
            outside=ATMOSPHERE,
            node_ranges=worlds.node_ranges,
            row_ranges=worlds.row_ranges,
            pinch=self._pinch,
            iterations=ITERATIONS,
            rigid_body_particle_contact_buffer_size=BODY_CONTACTS,
            friction_epsilon=FRICTION_SPEED,
            particle_enable_self_contact=True,
            particle_self_contact_margin=SELF_DISTANCE,
            particle_self_contact_gap=max(SELF_GAP, 2.0 * FASTEST * dt / BOUND - SELF_DISTANCE),
            particle_vertex_contact_buffer_size=VERTEX_PAIRS,
            particle_edge_contact_buffer_size=1,  # Newton's list of edges is not used, see `descent.nearness`
            particle_topological_contact_filter_threshold=1,
            dat_conservative_bound_relaxation=BOUND,
            collision_frequency_type={base.CollisionSlot.SOFT_SELF_CONTACT: base.CollisionFrequencyType.PRE_INIT},
        )
        self._contacts, self._control = self._pipeline.contacts(), model.control()
        self._drag = ClothDrag(worlds, dt=dt)
        self._impacts = Impacts(model, self._contacts, dt=dt, rounding=ROUNDING) if model.body_count else None

    def advance(self, source: Any, target: Any) -> None:  # Any: newton States
        """Launch one solver step from a state to another."""
        self._drag.act(source)
        self._pipeline.collide(source, self._contacts, dt=self._dt)
        if self._impacts is not None:
            self._impacts.notice(source)
        self._solver.step(source, target, self._control, self._contacts, self._dt)
        if self._impacts is not None:
            self._impacts.after_step(target)
            wp.copy(self._solver.body_q_prev, target.body_q)

    def detect(self, state: Any) -> None:  # Any: a newton State
        """Launch contact detection on a state."""
        self._pipeline.collide(state, self._contacts, dt=0.0)
        self._solver.detect(state)

    def read_contacts(self, nodes: npt.NDArray[np.float32], poses: npt.NDArray[np.float32]) -> list[Contacts]:
        """Return what `detect` found, by environment; see `Steps.read_contacts`."""
        worlds, parts = self._worlds, [read_soft_contacts(self._worlds, self._contacts, nodes, poses)]
        if worlds.model.body_count:
            parts.append(read_contacts(worlds, self._contacts, poses))
        parts.append(read_meeting_contacts(worlds, self._solver.touches(), nodes, distance=SELF_DISTANCE))
        if self._pinch is not None:
            parts.append(self._pinch.read_contacts(nodes))
        return [joined(list(group)) for group in zip(*parts, strict=True)]

    def forget(self, state: Any, environment: int | None = None) -> None:  # Any: a newton State
        """Drop what the solver remembers of an environment, or of all."""
        chosen = range(len(self._worlds.specs)) if environment is None else (environment,)
        mask = np.zeros(len(self._worlds.specs) + 1, bool)
        for index in chosen:
            mask[index] = True
            self._solver.forget_nodes(*self._worlds.node_ranges[index])
            self._solver.forget_pairs(index)
            if self._pinch is not None:
                self._pinch.forget(index)
        device = self._solver.model.device
        self._solver.reset(state, world_mask=wp.array(mask, dtype=wp.bool, device=device), flags=0)


def _steps(body: Membrane, *, dt: float) -> int:
    """Return the solver steps of a body in a substep [s]: a power of two, so that there are few signatures."""
    edge = made_of(body).edge
    if edge < 2.0 * SELF_DISTANCE:
        raise SpecError(
            f"{body.kind} {body.name!r} has edges of {edge:.3g} m, but layers are kept {SELF_DISTANCE:g} m apart: "
            f"allowed are edges of {2.0 * SELF_DISTANCE:g} m and more; lower resolution or make it larger"
        )
    least = STEPS_LEAST * 240.0 * dt
    bent = math.sqrt(body.bending_stiffness / body.area_density) * dt / edge**2
    crossed = max(wave_speed(body) * dt / edge / CROSSED, bent)
    steps = int(2 ** max(0, math.ceil(math.log2(max(crossed, least)) - 1e-9)))
    if steps > STEPS_MAX:
        share = (STEPS_MAX / crossed) ** 2
        name = "bending_stiffness" if bent == crossed else "membrane_stiffness"
        raise SpecError(
            f"{body.kind} {body.name!r} needs {steps} solver steps per substep, at most {STEPS_MAX} are taken: allowed "
            f"is a {name} up to {getattr(body, name) * share:.3g} at resolution {body.resolution}; make it softer, "
            "heavier or its mesh coarser, or raise substeps"
        )
    return steps


def _spare_planes(pipeline: Any, model: Any) -> None:  # Any: newton
    """Let edges and triangles of cloth not look for planes: no point of them is nearer to one than their nodes are."""
    kinds = model.shape_type.numpy() if model.shape_count else np.zeros(0, np.int32)
    for name in ("soft_edge_rigid_pairs", "soft_face_rigid_pairs"):
        pairs = getattr(pipeline, name).numpy()
        kept = pairs[kinds[pairs[:, 1]] != int(newton.GeoType.PLANE)] if len(pairs) else pairs
        setattr(pipeline, name, wp.array(kept, dtype=wp.vec2i, device=model.device))


def _sheets(worlds: Worlds) -> list[Sheet]:
    """Return the cloths of all environments."""
    result = []
    for spec, rows in zip(worlds.specs, worlds.node_rows, strict=True):
        for rank, (index, (begin, end)) in enumerate(rows.items()):
            body = spec.bodies[index]
            assert isinstance(body, BodyCloth | BodyInflatable)
            result.append(
                Sheet(
                    first=begin,
                    node_count=end - begin,
                    rank=rank,
                    colors=cloth_mesh(body).colors,
                    friction=body.physical.dynamic_friction,
                    gas=gas_energy(body) if isinstance(body, BodyInflatable) else 0.0,
                    gauge_pressure=body.gauge_pressure if isinstance(body, BodyInflatable) else 0.0,
                )
            )
    return result


STEPS = StepsCloth

"""Solver steps of scenes with soft bodies: vertex block descent for soft and rigid bodies together."""

import math
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.episode import Contacts
from simfactory.errors import SpecError
from simfactory.simulators.newton.bodies.soft_body import lame, soft_mesh, wave_speed
from simfactory.simulators.newton.collision import collision_pipeline
from simfactory.simulators.newton.contacts import joined, read_contacts
from simfactory.simulators.newton.descent import Solid, VertexDescent
from simfactory.simulators.newton.heat import HeatField, heat_rate
from simfactory.simulators.newton.impacts import Impacts
from simfactory.simulators.newton.node_contacts import read_meeting_contacts, read_soft_contacts
from simfactory.simulators.newton.steps.base import Steps
from simfactory.simulators.newton.worlds import Worlds
from simfactory.spec import Body, BodySoft, SceneSpec

__all__ = ["STEPS", "STEPS_MAX", "StepsSoft"]

ITERATIONS = 6
CONTACTS_LAST = 1.0 / 360.0  # [s] of solver steps of which two share what touches; steps go there and back
CONDUCTED = 0.5  # of a node's heat that may leave it in a solver step
STEPS_MAX = 16  # solver steps per substep of the spec
NODE_GAP = 0.05  # [m] how far ahead nodes look for contact: 12 m/s at 240 Hz
NODE_STIFFNESS = 5e4  # [N/m] of contacts of soft bodies, at most
CONTACT_FACTOR = 4.0  # of contacts over Young's modulus times cell: stiffer ones crush cells in blows
SHAPE_STIFFNESS = 1e6  # [N/m] of contacts between rigid ones: stiffer ones gain energy between soft and hard
FRICTION_SPEED = 1e-2  # [m/s] slip below which friction is viscous; stiffer friction costs momentum in blows
ROUNDING = 2e-4  # of velocities, which are differences of float32 positions
BODY_CONTACTS = 2048  # room for contacts of one rigid body with soft ones; beyond it the solver is slower
SELF_DISTANCE = 4e-3  # [m] between surfaces of soft bodies that touch
SELF_GAP = 1.6e-2  # [m] how far around it is looked for

RULES = {
    "friction": "one Coulomb coefficient a body: the spec's dynamic one; a pair uses the geometric mean of its two "
    "bodies'. Static friction is not modelled separately: slip below 1 cm/s is viscous",
    "restitution": "a pair of rigid bodies uses the mean of its two, met within 0.05; soft bodies rebound by their "
    "elasticity",
    "mass": "density × volume: of the shape; of a soft body's tetrahedra",
    "young_modulus": "of soft bodies: as in the spec, a neo-Hookean solid of the same small-strain modulus",
    "poisson_ratio": "of soft bodies: as in the spec",
    "soft_contact": "nodes, edges and faces of soft bodies touch rigid ones at 0.5 mm and each other at 4 mm, with "
    "springs: of four times Young's modulus times cell and at most 5e4 N/m against rigid ones, of 5e4 among themselves",
    "heat": "conduction by linear tetrahedra, explicit in time; rigid bodies, ground and air keep their temperatures; "
    "soft bodies give each other no heat; there is no radiation, and air cools only where its density is not 0",
    "melting": "the shear modulus falls exponentially over the softening range, resistance to changes of volume stays; "
    "molten material creeps as a Maxwell fluid until tetrahedra are drawn to about twice their length",
    "soft_bending": "shear is sampled once an edge of the simulation mesh, volume once a patch of tetrahedra: a bar "
    "of two cells through its thickness bends within 7 % of Timoshenko's beam",
}


@final
class StepsSoft(Steps):
    """Contact detection and SolverVBD, which moves nodes and rigid bodies together.

    Args:
        worlds: The model's environments.
        dt: Solver step [s].
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"rigid", "soft_body"})
    cost: ClassVar[int] = 1
    rules: ClassVar[Mapping[str, str]] = RULES

    @classmethod
    def per_substep(cls, spec: SceneSpec) -> int:
        """Return the solver steps per substep of a scene.

        A pressure wave may cross at most one cell of the simulation mesh in a solver step: beyond that the few
        iterations of a step leave bodies softer than they are. Nor may a node lose more than half of its heat.

        Raises:
            SpecError: A body is so stiff, conducts so well or is so finely meshed that more than `STEPS_MAX` would be
                needed.
        """
        dt = 1.0 / (spec.fps * spec.substep_count)
        soft = [body for body in spec.bodies if isinstance(body, BodySoft)]
        return max((max(_steps(body, dt=dt), _heat_steps(body, dt=dt)) for body in soft), default=1)

    @classmethod
    def variant(cls, spec: SceneSpec) -> tuple[Hashable, ...]:
        """Return the solver's name, whether soft bodies can meet each other, and whether there is heat in them."""
        meets = sum(isinstance(body, BodySoft) for body in spec.bodies) > 1
        return "vbd", meets, any(has_heat(body) for body in spec.bodies)

    def __init__(self, worlds: Worlds, *, dt: float) -> None:
        model = worlds.model
        model.soft_contact_ke, model.soft_contact_kd = NODE_STIFFNESS, 0.0
        if model.shape_count:
            model.shape_material_ke.fill_(SHAPE_STIFFNESS)
            model.shape_material_kd.fill_(0.0)
        if model.joint_count == 0:  # Newton then gives this table one dimension, its solver wants two
            model.joint_dof_dim = wp.zeros((0, 2), dtype=wp.int32, device=model.device)
        self._dt, self._worlds = dt, worlds
        self._first_source: Any = None  # Any: a newton State, of the two between which steps go there and back
        self._pipeline = collision_pipeline(
            worlds,
            soft_contact_gap=NODE_GAP,
            enable_rigid_soft_full_surface_contact=True,
        )
        self._solver = VertexDescent(
            model,
            _solids(worlds),
            dt=dt,
            iterations=ITERATIONS,
            rigid_body_particle_contact_buffer_size=BODY_CONTACTS,
            friction_epsilon=FRICTION_SPEED,
            particle_enable_self_contact=any(len(rows) > 1 for rows in worlds.node_rows),
            particle_self_contact_margin=SELF_DISTANCE,
            particle_self_contact_gap=SELF_GAP,
        )
        self._contacts, self._control = self._pipeline.contacts(), model.control()
        warm = any(has_heat(body) for spec in worlds.specs for body in spec.bodies)
        self._heat = HeatField(worlds, self._solver, dt=dt) if warm else None
        self._impacts = Impacts(model, self._contacts, dt=dt, rounding=ROUNDING) if model.body_count else None

    def advance(self, source: Any, target: Any) -> None:  # Any: newton States
        """Launch one solver step from a state to another."""
        self._first_source = self._first_source or source
        if source is self._first_source or self._dt > CONTACTS_LAST:
            self._pipeline.collide(source, self._contacts, dt=self._dt)
        if self._impacts is not None:
            self._impacts.notice(source)
        if self._heat is not None:
            self._heat.soften()
        self._solver.step(source, target, self._control, self._contacts, self._dt)
        if self._impacts is not None:
            self._impacts.after_step(target)
            wp.copy(self._solver.body_q_prev, target.body_q)
        if self._heat is not None:
            self._heat.advance(target, self._contacts)

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
        return [joined(list(group)) for group in zip(*parts, strict=True)]

    def temperatures(self) -> npt.NDArray[np.float32] | None:
        """Return the temperature of every node; see `Steps.temperatures`."""
        return None if self._heat is None else self._heat.temperatures()

    def forget(self, state: Any, environment: int | None = None) -> None:  # Any: a newton State
        """Drop what the solver remembers of an environment, or of all."""
        chosen = range(len(self._worlds.specs)) if environment is None else (environment,)
        mask = np.zeros(len(self._worlds.specs) + 1, bool)
        for index in chosen:
            mask[index] = True
            self._solver.forget_nodes(*self._worlds.node_ranges[index])
            if self._heat is not None:
                self._heat.forget(*self._worlds.node_ranges[index])
        device = self._solver.model.device
        self._solver.reset(state, world_mask=wp.array(mask, dtype=wp.bool, device=device), flags=0)


def has_heat(body: Body) -> bool:
    """Tell whether a body's temperature is simulated."""
    return isinstance(body, BodySoft) and body.heat is not None


def _steps(body: BodySoft, *, dt: float) -> int:
    """Return the solver steps of a body in a substep [s]: a power of two, so that there are few signatures."""
    crossed = wave_speed(body.physical) * dt / soft_mesh(body).cell
    steps = int(2 ** max(0, math.ceil(math.log2(max(crossed, 1e-9)) - 1e-9)))
    if steps > STEPS_MAX:
        limit = body.physical.young_modulus * (STEPS_MAX / crossed) ** 2
        raise SpecError(
            f"soft body {body.name!r} needs {steps} solver steps per substep, at most {STEPS_MAX} are taken: allowed "
            f"is a young_modulus up to {limit:.3g} Pa at resolution {body.resolution}; make it softer, its mesh "
            "coarser, raise substeps, or make it a rigid body"
        )
    return steps


def _heat_steps(body: BodySoft, *, dt: float) -> int:
    """Return the solver steps that conduction in a body needs in a substep [s], a power of two."""
    left = heat_rate(body) * dt / CONDUCTED
    steps = int(2 ** max(0, math.ceil(math.log2(max(left, 1e-9)) - 1e-9)))
    if steps > STEPS_MAX and body.heat is not None:
        raise SpecError(
            f"soft body {body.name!r} conducts so well that it needs {steps} solver steps per substep, at most "
            f"{STEPS_MAX} are taken: allowed is a conductivity up to {body.heat.conductivity * STEPS_MAX / left:.3g} "
            f"W/(m·K) at resolution {body.resolution}; lower it, make the mesh coarser, or raise substeps"
        )
    return steps


def _contact_stiffness(body: BodySoft) -> float:
    """Return the stiffness [N/m] of a node's contacts with rigid bodies: that of its cells, times a factor.

    A contact then gives way by a quarter of what the cells behind it do. One that is stiffer by more stops a node at
    once while its neighbours fly on, which a step's few iterations leave as a crushed cell.
    """
    return min(NODE_STIFFNESS, CONTACT_FACTOR * body.physical.young_modulus * soft_mesh(body).cell)


def _solids(worlds: Worlds) -> list[Solid]:
    """Return the soft bodies of all environments."""
    result = []
    for spec, rows in zip(worlds.specs, worlds.node_rows, strict=True):
        for rank, (index, (begin, end)) in enumerate(rows.items()):
            body = spec.bodies[index]
            assert isinstance(body, BodySoft)
            shear, bulk = lame(body.physical)
            result.append(
                Solid(
                    first=begin,
                    node_count=end - begin,
                    rank=rank,
                    samples=soft_mesh(body).samples,
                    colors=soft_mesh(body).colors,
                    shear=shear,
                    bulk=bulk,
                    viscosity=body.viscosity,
                    friction=body.physical.dynamic_friction,
                    contact_stiffness=_contact_stiffness(body),
                )
            )
    return result


STEPS = StepsSoft

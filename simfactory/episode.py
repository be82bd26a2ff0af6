"""What passes between simulation, rendering, annotation and storage: arrays with shapes, units and frames."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from simfactory.liquids import liquid_particles
from simfactory.meshes import TriangleMesh, body_mesh, ground_mesh, room_mesh
from simfactory.spec import BodyFluid, CameraSpec, SceneSpec, UvTexture, VisualMaterial
from simfactory.transforms import quat_slerp

__all__ = [
    "FIRST_BODY",
    "GROUND",
    "ROOM",
    "SKY",
    "BodyProperties",
    "ClipRecording",
    "Contacts",
    "Episode",
    "Surface",
    "Trajectory",
    "WorldState",
    "scene_surfaces",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
UInt16 = npt.NDArray[np.uint16]

SKY, GROUND, ROOM, FIRST_BODY = 0, 1, 2, 3  # instance ids; body k has id FIRST_BODY + k


@dataclass(frozen=True, kw_only=True, slots=True)
class Contacts:
    """Contacts of one environment at one instant.

    Attributes:
        a: `(contact,)` uint16 instance id of the first side.
        b: `(contact,)` uint16 instance id of the second side.
        point: `(contact, 3)` position, world frame [m].
        normal: `(contact, 3)` unit, from a to b, world frame.
        impulse: `(contact,)` normal impulse over the last frame [N·s]; NaN where the backend cannot tell.
    """

    a: UInt16
    b: UInt16
    point: Float32
    normal: Float32
    impulse: Float32

    @classmethod
    def none(cls) -> "Contacts":
        """Return an empty set."""
        empty, ids = np.zeros((0, 3), np.float32), np.zeros(0, np.uint16)
        return cls(a=ids, b=ids, point=empty, normal=empty, impulse=np.zeros(0, np.float32))


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyProperties:
    """Effective physical parameters of an environment's bodies: what the solver used.

    Attributes:
        mass: `(body,)` [kg]; inf for bodies that do not react.
        inertia: `(body, 3, 3)` about the centre of mass, body frame [kg·m²]; 0 where mass is inf.
        friction: `(body,)` Coulomb coefficient [1].
        restitution: `(body,)` [1].
        ground_friction: Coulomb coefficient of ground and room [1]; NaN without ground.
        rules: How pairs combine and what is approximated, in words, by parameter name.
    """

    mass: Float64
    inertia: Float64
    friction: Float64
    restitution: Float64
    ground_friction: float
    rules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorldState:
    """Geometry in motion: one environment at one instant, as host arrays that the receiver owns.

    Attributes:
        time: Time since the episode began [s].
        position: `(body, 3)` position of each body's local origin, world frame [m].
        quat_xyzw: `(body, 4)` body-to-world rotation.
        linear_velocity: `(body, 3)` of the centre of mass, world frame [m/s].
        angular_velocity: `(body, 3)` world frame [rad/s].
        vertices: Body index → `(vertex, 3)` world positions [m] of deforming bodies, in the order of `body_mesh`.
        contacts: Contacts at this instant.
        particles: Body index → `(particle, 3)` world positions [m] of the particles that bodies of such consist of.
        particle_velocities: Body index → `(particle, 3)` world frame [m/s].
        temperatures: Body index → `(vertex,)` [K] of the vertices of bodies whose temperature is simulated.
    """

    time: float
    position: Float32
    quat_xyzw: Float32
    linear_velocity: Float32
    angular_velocity: Float32
    vertices: Mapping[int, Float32] = field(default_factory=dict)
    contacts: Contacts = field(default_factory=Contacts.none)
    particles: Mapping[int, Float32] = field(default_factory=dict)
    particle_velocities: Mapping[int, Float32] = field(default_factory=dict)
    temperatures: Mapping[int, Float32] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trajectory:
    """All states of an episode, frame k at time k/fps; fields as in `WorldState` with a time axis in front.

    Attributes:
        time: `(time,)` [s].
        position: `(time, body, 3)` [m].
        quat_xyzw: `(time, body, 4)`.
        linear_velocity: `(time, body, 3)` [m/s].
        angular_velocity: `(time, body, 3)` [rad/s].
        vertices: Body index → `(time, vertex, 3)` [m].
        contacts: One `Contacts` per frame.
        properties: Effective physical parameters.
        particles: Body index → `(time, particle, 3)` [m].
        particle_velocities: Body index → `(time, particle, 3)` [m/s].
        temperatures: Body index → `(time, vertex)` [K].
    """

    time: Float64
    position: Float32
    quat_xyzw: Float32
    linear_velocity: Float32
    angular_velocity: Float32
    vertices: Mapping[int, Float32]
    contacts: tuple[Contacts, ...]
    properties: BodyProperties
    particles: Mapping[int, Float32] = field(default_factory=dict)
    particle_velocities: Mapping[int, Float32] = field(default_factory=dict)
    temperatures: Mapping[int, Float32] = field(default_factory=dict)

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return len(self.time)

    def motion(self) -> dict[str, Float32]:
        """Return poses and velocities of all bodies at all frames, by field name."""
        names = ("position", "quat_xyzw", "linear_velocity", "angular_velocity")
        return {name: getattr(self, name) for name in names}

    def state(self, frame: int) -> WorldState:
        """Return the state at a frame."""
        return WorldState(
            time=float(self.time[frame]),
            position=self.position[frame],
            quat_xyzw=self.quat_xyzw[frame],
            linear_velocity=self.linear_velocity[frame],
            angular_velocity=self.angular_velocity[frame],
            vertices={body: points[frame] for body, points in self.vertices.items()},
            contacts=self.contacts[frame],
            particles={body: points[frame] for body, points in self.particles.items()},
            particle_velocities={body: speeds[frame] for body, speeds in self.particle_velocities.items()},
            temperatures={body: values[frame] for body, values in self.temperatures.items()},
        )

    def between(self, frame: int, share: float) -> WorldState:
        """Return where everything is at a share, 0–1, of the time from a frame to the next one.

        Positions, vertices and particles go along straight lines, rotations the shorter way at a constant rate;
        velocities and contacts are those of the frame. After the last frame motion goes on as before it.
        """
        first = max(min(frame, self.frame_count - 2), 0)
        last = min(first + 1, self.frame_count - 1)
        place = frame - first + share

        def mixed(values: Float32) -> Float32:
            start = values[first].astype(np.float64)
            return np.asarray(start + place * (values[last] - start), np.float32)

        return replace(
            self.state(frame),
            time=float(self.time[first] + place * (self.time[last] - self.time[first])),
            position=mixed(self.position),
            quat_xyzw=quat_slerp(self.quat_xyzw[first], self.quat_xyzw[last], place).astype(np.float32),
            vertices={body: mixed(points) for body, points in self.vertices.items()},
            particles={body: mixed(points) for body, points in self.particles.items()},
        )

    @classmethod
    def from_states(cls, states: list[WorldState], properties: BodyProperties) -> "Trajectory":
        """Stack states, one per frame."""
        return cls(
            time=np.array([state.time for state in states]),
            position=np.stack([state.position for state in states]),
            quat_xyzw=np.stack([state.quat_xyzw for state in states]),
            linear_velocity=np.stack([state.linear_velocity for state in states]),
            angular_velocity=np.stack([state.angular_velocity for state in states]),
            vertices=_stacked([state.vertices for state in states]),
            contacts=tuple(state.contacts for state in states),
            properties=properties,
            particles=_stacked([state.particles for state in states]),
            particle_velocities=_stacked([state.particle_velocities for state in states]),
            temperatures=_stacked([state.temperatures for state in states]),
        )


def _stacked(frames: list[Mapping[int, Float32]]) -> dict[int, Float32]:
    return {body: np.stack([frame[body] for frame in frames]) for body in frames[0]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """One rendered instance: fixed triangles whose vertices move with a body's pose, deform, or stand still.

    Attributes:
        instance: Instance id, 1 and up.
        name: `ground`, `room` or the body's name.
        body: Index of the body, or None for the fixed world.
        mesh: Triangles; vertices in the body's local frame (world frame if body is None) [m].
        deforming: Whether `WorldState.vertices[body]` replaces the mesh's vertices.
        visual: Looks.
        spacing: Of the particles that carry a liquid [m]; 0 for all else. A liquid's triangles are made anew at every
            instant, of `WorldState.particles[body]`; its mesh is the region that it fills at t = 0.
        particle_count: How many carry it.
    """

    instance: int
    name: str
    body: int | None
    mesh: TriangleMesh
    deforming: bool
    visual: VisualMaterial
    spacing: float = 0.0
    particle_count: int = 0

    @property
    def liquid(self) -> bool:
        """Whether its triangles are made anew at every instant."""
        return self.spacing > 0.0


def scene_surfaces(spec: SceneSpec) -> tuple[Surface, ...]:
    """Return the surfaces of a scene, ordered by instance id.

    Raises:
        AssetError: A user mesh is missing or unreadable.
        SpecError: A texture is to be laid on by texture coordinates that a surface does not have.
    """
    fixed: list[Surface] = []
    for instance, name, mesh, owner in (
        (GROUND, "ground", ground_mesh(spec.ground) if spec.ground else None, spec.ground),
        (ROOM, "room", room_mesh(spec.room.size, ceiling=spec.room.ceiling) if spec.room else None, spec.room),
    ):
        if mesh is not None and owner is not None:
            fixed.append(
                Surface(instance=instance, name=name, body=None, mesh=mesh, deforming=False, visual=owner.visual)
            )
    bodies = [
        Surface(
            instance=FIRST_BODY + index,
            name=body.name,
            body=index,
            mesh=body_mesh(body),
            deforming=body.kind not in ("rigid", "fluid"),
            visual=body.visual,
            spacing=body.spacing if isinstance(body, BodyFluid) else 0.0,
            particle_count=len(liquid_particles(body).centers) if isinstance(body, BodyFluid) else 0,
        )
        for index, body in enumerate(spec.bodies)
    ]
    for surface in (*fixed, *bodies):
        if isinstance(surface.visual.texture, UvTexture) and surface.mesh.corner_uv is None:
            raise SpecError(
                f"the texture of {surface.name!r} is of pattern 'uv', but its shape has no texture coordinates: use "
                "pattern 'image', or a mesh whose file carries them"
            )
    return (*fixed, *bodies)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipRecording:
    """One camera's recording of an episode, in memory.

    Attributes:
        clip_id: Identity of the clip.
        camera: The camera.
        arrays: Signal name → array with all frames; ragged signals flat, with `<group>/offsets`.
        attributes: JSON attributes, as in the store.
    """

    clip_id: str
    camera: CameraSpec
    arrays: Mapping[str, npt.NDArray[np.generic]]
    attributes: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """What one scene spec yielded.

    Attributes:
        spec: The spec.
        trajectory: All states.
        clips: One recording per camera.
        quality: The quality report (JSON); `passed` says whether a store would take the episode.
    """

    spec: SceneSpec
    trajectory: Trajectory
    clips: tuple[ClipRecording, ...]
    quality: Mapping[str, object]

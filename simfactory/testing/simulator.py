"""The conformance suite of simulator backends: subclass it, set two attributes, and run it with pytest."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from simfactory.cords import tube_line
from simfactory.episode import WorldState
from simfactory.errors import SpecError, UnsupportedBody
from simfactory.meshes import body_mesh
from simfactory.simulators import Simulator
from simfactory.spec import (
    Body,
    BodyRope,
    BodySheet,
    BodySoft,
    MotionLinear,
    MotionOscillation,
    MotionRotation,
    Push,
    SceneSpec,
    Sphere,
)
from simfactory.testing.specs import (
    make_body,
    make_cloth,
    make_driven_spec,
    make_fluid,
    make_granular,
    make_granular_spec,
    make_inflatable,
    make_material,
    make_rope,
    make_rope_spec,
    make_sheet,
    make_soft,
    make_soft_spec,
    make_spec,
)
from simfactory.transforms import quat_rotate

__all__ = ["SimulatorContract"]

FRAMES = 6
FIELDS = ("position", "quat_xyzw", "linear_velocity", "angular_velocity")


class SimulatorContract:
    """What every backend promises; a test class subclasses it.

    Example:
        class TestNewton(SimulatorContract):
            simulator_class = NewtonSimulator
            body_kinds = ("rigid",)

    Attributes:
        simulator_class: The backend's class.
        body_kinds: The body kinds it says it supports.
        options: Keyword arguments of its constructor.
        has_contact: Whether bodies collide; without, they fall through the ground.
        batch_tolerance: Largest difference of a state [m, 1, m/s, rad/s] between an environment alone and the same
            beside others; 0 = bit-identical.
    """

    simulator_class: ClassVar[type[Simulator]]
    body_kinds: ClassVar[tuple[str, ...]]
    options: ClassVar[dict[str, Any]] = {}  # Any: whatever the constructor takes
    has_contact: ClassVar[bool] = True
    batch_tolerance: ClassVar[float] = 0.0

    @pytest.fixture
    def simulator(self) -> Iterator[Simulator]:
        """An empty simulator, released afterwards."""
        simulator = self.simulator_class(**self.options)
        yield simulator
        simulator.release()

    def test_supports_what_it_says(self) -> None:
        """`supports` is True for the listed kinds and False for an invented one."""
        assert all(self.simulator_class.supports(kind) for kind in self.body_kinds)
        assert not self.simulator_class.supports("no_such_kind")

    def test_version_names_what_computes(self) -> None:
        """`version` begins with the backend's name and holds a number."""
        version = self.simulator_class.version()
        assert version.startswith(self.simulator_class.name)
        assert any(character.isdigit() for character in version)

    @pytest.mark.parametrize(
        ("kind", "able"),
        [
            ("rigid", "mock"),
            ("sheet", "mock"),
            ("soft_body", "newton"),
            ("cloth", "newton"),
            ("inflatable", "newton"),
            ("rope", "newton"),
            ("granular", "newton"),
            ("fluid", "newton"),
        ],
    )
    def test_bodies_of_every_kind_load_or_are_refused_with_who_supports_them(
        self, simulator: Simulator, kind: str, able: str
    ) -> None:
        """A kind that is listed loads, any other raises `UnsupportedBody` that names a backend."""
        bodies: dict[str, Body] = {
            "rigid": make_body(),
            "sheet": make_sheet(),
            "soft_body": make_soft(),
            "cloth": make_cloth(),
            "inflatable": make_inflatable(),
            "rope": make_rope(),
            "granular": make_granular(),
            "fluid": make_fluid(position=(0.0, 0.0, 0.11)),
        }
        spec = make_spec(bodies=[bodies[kind]])
        if kind in self.body_kinds:
            simulator.load([spec])
            assert simulator.state(0).position[0] == pytest.approx(bodies[kind].position, abs=1e-5)
        else:
            with pytest.raises(UnsupportedBody, match=f"'{kind}'.*{able}"):
                simulator.load([spec])

    def test_loading_nothing_is_refused(self, simulator: Simulator) -> None:
        """An empty list raises `SpecError`."""
        with pytest.raises(SpecError):
            simulator.load([])

    def test_differing_signatures_are_refused(self, simulator: Simulator) -> None:
        """Specs of different frame rates do not load together, ones of different lengths do."""
        with pytest.raises(SpecError, match="signature"):
            simulator.load([make_spec(fps=24.0), make_spec(fps=30.0)])
        simulator.load([make_spec(frame_count=4), make_spec(frame_count=9)])

    def test_state_begins_as_the_spec_says(self, simulator: Simulator) -> None:
        """At t = 0 poses and velocities are the spec's."""
        spec = busy_spec()
        simulator.load([spec])
        state = simulator.state(0)
        assert state.time == 0.0
        for index, body in enumerate(spec.bodies):
            assert np.allclose(state.position[index], body.position, atol=1e-6)
            assert abs(np.dot(state.quat_xyzw[index], body.orientation)) > 1.0 - 1e-6
            if getattr(body, "mobility", "") == "dynamic":
                assert np.allclose(state.linear_velocity[index], body.linear_velocity, atol=1e-6)  # type: ignore[union-attr]  # dynamic: rigid
                assert np.allclose(state.angular_velocity[index], body.angular_velocity, atol=1e-6)  # type: ignore[union-attr]  # dynamic: rigid

    def test_states_have_shapes_dtypes_and_times(self, simulator: Simulator) -> None:
        """Every field has its documented shape and dtype, frame k is at k/fps, rotations have length 1."""
        spec = busy_spec()
        simulator.load([spec, make_spec()])
        for frame in range(FRAMES):
            state = simulator.state(0)
            count = len(spec.bodies)
            assert state.time == pytest.approx(frame / spec.fps, abs=1e-12)
            for field, width in zip(FIELDS, (3, 4, 3, 3), strict=True):
                array = getattr(state, field)
                assert array.shape == (count, width)
                assert array.dtype == np.float32
                assert np.isfinite(array).all()
            assert np.allclose(np.linalg.norm(state.quat_xyzw, axis=1), 1.0, atol=1e-5)
            assert_contacts_are_sound(state, count)
            simulator.step()

    def test_states_belong_to_the_receiver(self, simulator: Simulator) -> None:
        """A state does not change when the simulation goes on or the receiver writes into it."""
        simulator.load([busy_spec()])
        state = simulator.state(0)
        kept = state.position.copy()
        simulator.step()
        assert np.array_equal(state.position, kept)
        later = simulator.state(0)
        later.position[:] = 1e6
        assert not np.array_equal(simulator.state(0).position, later.position)

    def test_free_fall_moves_each_environment_by_its_own_gravity(self, simulator: Simulator) -> None:
        """Environments of different gravity, any direction, fall g t²/2 to the order of one substep."""
        gravities = [(0.0, 0.0, -9.81), (1.0, -2.0, -5.0), (0.0, 0.0, 0.0)]
        simulator.load([make_spec(gravity=gravity, bodies=[make_body()], ground=False) for gravity in gravities])
        for _ in range(FRAMES):
            simulator.step()
        for environment, gravity in enumerate(gravities):
            state = simulator.state(environment)
            fall = 0.5 * np.asarray(gravity) * state.time**2
            # A first-order integrator is off by at most g·dt·t/2, dt = 1/240 s.
            slack = 0.5 * np.abs(gravity) / 240.0 * state.time + 1e-5
            assert (np.abs(state.position[0] - (np.array([0.0, 0.0, 1.0]) + fall)) <= slack).all()
            assert np.allclose(state.linear_velocity[0], np.asarray(gravity) * state.time, atol=1e-4)

    def test_static_bodies_stand_and_kinematic_ones_follow_their_motion(self, simulator: Simulator) -> None:
        """Static bodies never move; linear, oscillating and turning bodies are where their closed forms say."""
        spec = motion_spec()
        simulator.load([spec])
        for _ in range(FRAMES):
            simulator.step()
        state, time = simulator.state(0), FRAMES / spec.fps
        assert np.allclose(state.position[0], spec.bodies[0].position, atol=1e-6)
        slid = min(time, 0.2) - 0.1
        assert np.allclose(state.position[1], np.add(spec.bodies[1].position, (0.5 * slid, 0.0, 0.0)), atol=1e-5)
        assert np.allclose(state.linear_velocity[1], 0.0)  # it stopped at 0.2 s
        swung = 0.3 * np.sin(2.0 * np.pi * 1.5 * time)
        assert np.allclose(state.position[2], np.add(spec.bodies[2].position, (0.0, 0.0, swung)), atol=1e-5)
        turned = np.array([0.0, 0.0, np.sin(time), np.cos(time)])
        assert abs(np.dot(state.quat_xyzw[3], turned)) > 1.0 - 1e-6
        assert np.allclose(state.angular_velocity[3], (0.0, 0.0, 2.0), atol=1e-5)

    def test_a_push_changes_velocity_by_impulse_over_mass(self, simulator: Simulator) -> None:
        """Δv = J/m, from the first substep not before the push."""
        body = make_body(physical=make_material(density=1000.0))  # 64 kg
        push = Push(body="box", time=0.1, impulse=(32.0, 0.0, -16.0))
        simulator.load([make_spec(bodies=[body], ground=False, gravity=(0.0, 0.0, 0.0), triggers=[push])])
        simulator.step()
        simulator.step()
        assert np.allclose(simulator.state(0).linear_velocity, 0.0)  # 0.083 s
        simulator.step()
        assert np.allclose(simulator.state(0).linear_velocity[0], (0.5, 0.0, -0.25), rtol=1e-5)

    def test_bodies_at_rest_stay_at_rest(self, simulator: Simulator) -> None:
        """A box that lies on the ground moves less than 1 mm and 5 mm/s in half a second; without contact it falls."""
        simulator.load([make_spec(bodies=[make_body(position=(0.0, 0.0, 0.2))])])
        for _ in range(12):
            simulator.step()
            state = simulator.state(0)
            if not self.has_contact:
                assert state.position[0, 2] == pytest.approx(0.2 - 0.5 * 9.81 * state.time**2, abs=0.025)
                assert len(state.contacts.a) == 0
                continue
            assert np.abs(state.position[0] - (0.0, 0.0, 0.2)).max() < 1e-3
            assert np.abs(state.linear_velocity).max() < 5e-3
            assert np.abs(state.angular_velocity).max() < 5e-3

    def test_rerun_is_bit_identical(self, simulator: Simulator) -> None:
        """Loading the same specs again gives the same bits."""
        specs = [busy_spec(), make_spec()]
        first = [run(simulator, specs, environment) for environment in range(2)]
        second = [run(simulator, specs, environment) for environment in range(2)]
        assert_identical(first[0], second[0])
        assert_identical(first[1], second[1])

    def test_reset_repeats_its_environment_and_leaves_others_bit_identical(self, simulator: Simulator) -> None:
        """A reset environment starts over with the same bits; the others do not notice."""
        specs = [busy_spec(), busy_spec(), make_spec()]
        undisturbed = [run(simulator, specs, environment, frames=2 * FRAMES) for environment in range(3)]
        simulator.load(specs)
        states: list[list[WorldState]] = [[], [], []]
        for frame in range(2 * FRAMES):
            if frame == FRAMES:
                simulator.reset(1)
            for environment in range(3):
                states[environment].append(simulator.state(environment))
            simulator.step()
        assert_identical(states[0], undisturbed[0])
        assert_identical(states[2], undisturbed[2])
        assert_identical(states[1][:FRAMES], undisturbed[1][:FRAMES])
        assert_identical(states[1][FRAMES:], undisturbed[1][:FRAMES])

    def test_environments_do_not_influence_one_another(self, simulator: Simulator) -> None:
        """An environment alone and the same one beside others give the same states."""
        spec = busy_spec()
        alone = run(simulator, [spec], 0)
        beside = run(simulator, [make_spec(), spec, motion_spec()], 1)
        if self.batch_tolerance == 0.0:
            assert_identical(alone, beside)
        for a, b in zip(alone, beside, strict=True):
            for field in FIELDS:
                assert np.abs(getattr(a, field) - getattr(b, field)).max() <= self.batch_tolerance

    def test_load_replaces_and_release_allows_loading_again(self, simulator: Simulator) -> None:
        """A simulator is reusable, with another number of environments and bodies."""
        simulator.load([busy_spec(), busy_spec()])
        simulator.step()
        simulator.load([make_spec(bodies=[make_body()])])
        assert simulator.state(0).position.shape == (1, 3)
        simulator.release()
        simulator.load([make_spec()])
        assert simulator.state(0).time == 0.0
        assert simulator.state(0).position.shape == (2, 3)

    def test_effective_properties_are_given(self, simulator: Simulator) -> None:
        """Masses are density × volume of dynamic bodies and infinite for the others; rules are stated."""
        spec = make_spec(
            bodies=[
                make_body("heavy", physical=make_material(density=1000.0)),
                make_body("wall", position=(2.0, 0.0, 1.0), mobility="static"),
            ]
        )
        simulator.load([spec])
        properties = simulator.properties(0)
        assert properties.mass.shape == properties.friction.shape == properties.restitution.shape == (2,)
        assert properties.inertia.shape == (2, 3, 3)
        assert properties.mass[0] == pytest.approx(64.0, rel=1e-5)
        assert np.isinf(properties.mass[1])
        assert (properties.inertia[1] == 0.0).all()
        assert {"friction", "restitution"} <= set(properties.rules)

    def test_soft_bodies_begin_at_rest_and_are_drawn_where_they_are(self, simulator: Simulator) -> None:
        """Vertices `(vertex, 3)` float32 in the order of `body_mesh`: placed at t = 0, moving with the pose later."""
        if not self.simulator_class.supports("soft_body"):
            with pytest.raises(UnsupportedBody):
                simulator.load([make_soft_spec()])
            return
        spec = make_soft_spec()
        simulator.load([spec])
        state = simulator.state(0)
        for index, body in enumerate(spec.bodies):
            assert np.allclose(state.position[index], body.position, atol=1e-5)
            if isinstance(body, BodySoft):
                rest = body_mesh(body).vertices
                placed = np.asarray(body.position) + quat_rotate(np.asarray(body.orientation), rest)
                assert state.vertices[index].dtype == np.float32
                assert state.vertices[index].shape == rest.shape
                assert np.allclose(state.vertices[index], placed, atol=1e-5)
                assert np.allclose(state.linear_velocity[index], body.linear_velocity, atol=1e-4)
                assert np.allclose(state.angular_velocity[index], body.angular_velocity, atol=1e-3)
        for _ in range(FRAMES):
            simulator.step()
        state = simulator.state(0)
        assert_contacts_are_sound(state, len(spec.bodies))
        for index, vertices in state.vertices.items():
            size = float(np.ptp(body_mesh(spec.bodies[index]).vertices, axis=0).max())
            assert np.linalg.norm(vertices - state.position[index], axis=1).max() < 1.5 * size

    def test_soft_scenes_rerun_reset_and_stand_apart_bit_identical(self, simulator: Simulator) -> None:
        """With soft bodies: the same bits in a rerun, after a reset, beside another reset, and beside other scenes."""
        if not self.simulator_class.supports("soft_body"):
            with pytest.raises(UnsupportedBody):
                simulator.load([make_soft_spec()])
            return
        specs = [make_soft_spec(), make_soft_spec(shift=0.05), make_soft_spec(gravity=(0.5, 0.0, -4.0))]
        undisturbed, states = (_all_states(simulator, specs, reset=reset) for reset in (None, 1))
        assert_identical(states[0], undisturbed[0])
        assert_identical(states[2], undisturbed[2])
        assert_identical(states[1][:FRAMES], undisturbed[1][:FRAMES])
        assert_identical(states[1][FRAMES:], undisturbed[1][:FRAMES])
        alone = run(simulator, [specs[1]], 0)
        if self.batch_tolerance == 0.0:
            assert_identical(alone, undisturbed[1][: len(alone)])

    def test_ropes_begin_as_drawn_and_keep_their_length(self, simulator: Simulator) -> None:
        """Vertices are those of `body_mesh`, placed, at t = 0; later the line through them is as long as before."""
        spec = make_rope_spec()
        if not self.simulator_class.supports("rope"):
            with pytest.raises(UnsupportedBody):
                simulator.load([spec])
            return
        states = run(simulator, [spec], 0, frames=2 * FRAMES)
        for index, body in enumerate(spec.bodies):
            if isinstance(body, BodyRope):
                placed = np.asarray(body.position) + body_mesh(body).vertices
                assert states[0].vertices[index].dtype == np.float32
                assert np.allclose(states[0].vertices[index], placed, atol=1e-5)
                lengths = [np.linalg.norm(np.diff(tube_line(s.vertices[index]), axis=0), axis=1) for s in states]
                assert np.allclose(lengths, lengths[0], rtol=0.05)  # EA = 1e4 N, hit by 2 kg
                held = tube_line(states[-1].vertices[index])[0] - tube_line(states[0].vertices[index])[0]
                assert not body.held or np.abs(held).max() < 1e-6
        assert_contacts_are_sound(states[-1], len(spec.bodies))

    def test_rope_scenes_rerun_reset_and_stand_apart_bit_identical(self, simulator: Simulator) -> None:
        """With ropes: the same bits in a rerun, after a reset, beside another reset, and beside other scenes."""
        if not self.simulator_class.supports("rope"):
            with pytest.raises(UnsupportedBody):
                simulator.load([make_rope_spec()])
            return
        specs = [make_rope_spec(), make_rope_spec(shift=0.05), make_rope_spec(gravity=(0.5, 0.0, -4.0))]
        undisturbed, states = (_all_states(simulator, specs, reset=reset) for reset in (None, 1))
        assert_identical(states[0], undisturbed[0])
        assert_identical(states[2], undisturbed[2])
        assert_identical(states[1][:FRAMES], undisturbed[1][:FRAMES])
        assert_identical(states[1][FRAMES:], undisturbed[1][:FRAMES])
        alone = run(simulator, [specs[1]], 0)
        if self.batch_tolerance == 0.0:
            assert_identical(alone, undisturbed[1][: len(alone)])

    def test_granular_scenes_rerun_reset_and_stand_apart_bit_identical(self, simulator: Simulator) -> None:
        """With grains: the same bits in a rerun, after a reset, beside another reset, and beside other scenes."""
        if not self.simulator_class.supports("granular"):
            with pytest.raises(UnsupportedBody):
                simulator.load([make_granular_spec()])
            return
        specs = [make_granular_spec(), make_granular_spec(shift=0.04), make_granular_spec(gravity=(0.5, 0.0, -4.0))]
        undisturbed, states = (_all_states(simulator, specs, reset=reset) for reset in (None, 1))
        assert_identical(states[0], undisturbed[0])
        assert_identical(states[2], undisturbed[2])
        assert_identical(states[1][:FRAMES], undisturbed[1][:FRAMES])
        assert_identical(states[1][FRAMES:], undisturbed[1][:FRAMES])
        alone = run(simulator, [specs[1]], 0)
        if self.batch_tolerance == 0.0:
            assert_identical(alone, undisturbed[1][: len(alone)])
        assert_contacts_are_sound(alone[-1], len(specs[1].bodies))

    def test_grains_begin_in_their_region_and_are_drawn_where_they_are(self, simulator: Simulator) -> None:
        """Particles `(particle, 3)` float32 move with the body's velocity; vertices stay about their grains."""
        if not self.simulator_class.supports("granular"):
            return
        sand = make_granular(
            position=(0.0, 0.0, 0.5), linear_velocity=(0.5, 0.0, 0.0), angular_velocity=(0.0, 0.0, 1.0)
        )
        simulator.load([make_spec(bodies=[sand])])
        rest = body_mesh(sand).vertices
        for frame in range(2):
            state = simulator.state(0)
            places, vertices = state.particles[0], state.vertices[0]
            assert places.dtype == state.particle_velocities[0].dtype == vertices.dtype == np.float32
            assert places.shape == state.particle_velocities[0].shape
            assert vertices.shape == rest.shape
            offsets = vertices.reshape(len(places), -1, 3) - places[:, None]
            assert np.linalg.norm(offsets, axis=-1).max() <= sand.grain_radius * (1.0 + 1e-4)
            if frame == 0:
                assert np.allclose(vertices, rest + np.asarray(sand.position), atol=1e-5)
                assert np.allclose(state.position[0], sand.position, atol=1e-5)
            assert np.allclose(state.linear_velocity[0, :2], (0.5, 0.0), atol=1e-3)
            assert np.allclose(state.angular_velocity[0], (0.0, 0.0, 1.0), atol=0.05)
            simulator.step()

    def test_driving_frame_by_frame_repeats_itself_as_waypoints(self, simulator: Simulator) -> None:
        """Commands written back as waypoints, one a frame, give the same bits; others and a reset do not notice."""
        spec = make_driven_spec()
        if not self.simulator_class.supports("hinge"):
            with pytest.raises(UnsupportedBody):
                simulator.load([spec])
            return
        undisturbed = run(simulator, [spec], 0)
        simulator.load([spec, spec])
        states: list[list[WorldState]] = [[], []]
        for frame in range(FRAMES):
            for environment in range(2):
                states[environment].append(simulator.state(environment))
            simulator.drive(1, {"motor": 0.1 * np.sin(frame + 1.0)})
            simulator.step()
        assert_identical(states[0], undisturbed)
        assert np.abs(states[1][-1].quat_xyzw - undisturbed[-1].quat_xyzw).max() > 1e-2
        simulator.reset(1)
        assert_identical([simulator.state(1)], undisturbed[:1])
        simulator.step()
        assert_identical([simulator.state(1)], undisturbed[1:2])
        told = [(0.0, 0.0), *(((frame + 1) / spec.fps, 0.1 * np.sin(frame + 1.0)) for frame in range(FRAMES))]
        assert_identical(run(simulator, [make_driven_spec(told)], 0), states[1])

    def test_drives_are_known_by_name(self, simulator: Simulator) -> None:
        """Who is not there or has no drive is refused with who has one, and then nobody is driven."""
        if not self.simulator_class.supports("hinge"):
            simulator.load([make_spec()])
            with pytest.raises(SpecError, match=r"joints \['motor'\].*none has a drive"):
                simulator.drive(0, {"motor": 1.0})
            return
        simulator.load([make_driven_spec()])
        for targets in ({"motor": 1.0, "moter": 1.0}, {"motor": 1.0, "free": 1.0}):
            with pytest.raises(SpecError, match=r"cannot be driven; allowed are those with a drive: \['motor'\]"):
                simulator.drive(0, targets)
        with pytest.raises(SpecError, match="joint 'motor' is sent to nan"):
            simulator.drive(0, {"motor": float("nan")})
        simulator.step()
        assert_identical([simulator.state(0)], run(simulator, [make_driven_spec()], 0)[1:2])

    def test_sheets_vibrate_as_their_closed_form(self, simulator: Simulator) -> None:
        """A sheet's vertices are `(vertex, 3)` float32 in the world frame, at amplitude · sin(2π f t) · shape."""
        sheet = make_sheet(cells=4, modes=(1, 1), amplitude=0.2, frequency=1.0)
        if not self.simulator_class.supports("sheet"):
            with pytest.raises(UnsupportedBody):
                simulator.load([make_spec(bodies=[sheet], ground=False)])
            return
        simulator.load([make_spec(bodies=[sheet], ground=False)])
        for _ in range(6):  # a quarter of a period
            simulator.step()
        vertices = simulator.state(0).vertices[0]
        assert vertices.shape == (25, 3)
        assert vertices.dtype == np.float32
        assert vertices[12] == pytest.approx((0.0, 0.0, 1.2), abs=1e-5)
        assert isinstance(sheet, BodySheet)


def _all_states(simulator: Simulator, specs: list[SceneSpec], *, reset: int | None) -> list[list[WorldState]]:
    """Return 2 × FRAMES states of every environment; one of them may be reset half-way."""
    simulator.load(specs)
    states: list[list[WorldState]] = [[] for _ in specs]
    for frame in range(2 * FRAMES):
        if frame == FRAMES and reset is not None:
            simulator.reset(reset)
        for environment in range(len(specs)):
            states[environment].append(simulator.state(environment))
        simulator.step()
    return states


def busy_spec() -> SceneSpec:
    """Return a scene with contact, spin, a push and a moving body."""
    return make_spec(
        bodies=[
            make_body("cube", position=(0.0, 0.0, 0.5), angular_velocity=(1.0, 2.0, 3.0)),
            make_body("ball", Sphere(radius=0.2), position=(0.5, 0.0, 0.25), linear_velocity=(-2.0, 0.0, 0.0)),
            make_body("pusher", position=(1.2, 0.0, 0.3), mobility="kinematic"),
            make_body("block", position=(-1.0, 0.0, 0.2), mobility="static"),
        ],
        motions=[MotionLinear(body="pusher", velocity=(-1.0, 0.0, 0.0))],
        triggers=[Push(body="cube", time=0.05, impulse=(5.0, 3.0, 0.0))],
        frame_count=24,
    )


def motion_spec() -> SceneSpec:
    """Return a scene with one static body and one body of each motion."""
    names = ("wall", "slider", "swing", "wheel")
    return make_spec(
        bodies=[
            make_body(name, position=(2.0 * k, 0.0, 1.0), mobility="static" if k == 0 else "kinematic")
            for k, name in enumerate(names)
        ],
        motions=[
            MotionLinear(body="slider", velocity=(0.5, 0.0, 0.0), start=0.1, stop=0.2),
            MotionOscillation(body="swing", amplitude=(0.0, 0.0, 0.3), frequency=1.5),
            MotionRotation(body="wheel", angular_velocity=(0.0, 0.0, 2.0)),
        ],
        ground=False,
    )


def run(simulator: Simulator, specs: list[SceneSpec], environment: int, *, frames: int = FRAMES) -> list[WorldState]:
    """Load scenes and return one environment's states, frame 0 first."""
    simulator.load(specs)
    states = []
    for _ in range(frames):
        states.append(simulator.state(environment))
        simulator.step()
    return states


def assert_identical(first: list[WorldState], second: list[WorldState]) -> None:
    """Fail unless two lists of states agree in every bit, contacts included."""
    for a, b in zip(first, second, strict=True):
        assert a.time == b.time
        for field in FIELDS:
            assert np.array_equal(getattr(a, field), getattr(b, field)), field
        assert a.vertices.keys() == b.vertices.keys()
        assert all(np.array_equal(a.vertices[key], b.vertices[key]) for key in a.vertices)
        assert a.particles.keys() == b.particles.keys()
        assert all(np.array_equal(a.particles[key], b.particles[key]) for key in a.particles)
        for field in ("a", "b", "point", "normal", "impulse"):
            assert np.array_equal(getattr(a.contacts, field), getattr(b.contacts, field), equal_nan=field == "impulse")


def assert_contacts_are_sound(state: WorldState, body_count: int) -> None:
    """Fail unless contacts have documented shapes and dtypes, known instances and unit normals."""
    contacts = state.contacts
    count = len(contacts.a)
    assert contacts.a.dtype == contacts.b.dtype == np.uint16
    assert contacts.point.shape == contacts.normal.shape == (count, 3)
    assert contacts.impulse.shape == (count,)
    ids = np.concatenate([contacts.a, contacts.b])
    assert ((ids >= 1) & (ids < 3 + body_count)).all()
    assert np.allclose(np.linalg.norm(contacts.normal, axis=1), 1.0, atol=1e-5)

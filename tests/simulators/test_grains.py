"""Steps of grains: as long as speeds allow, whole frames, and coarse grains beside fine ones."""

import numpy as np
import pytest

from simfactory.episode import Trajectory, scene_surfaces
from simfactory.quality.particles import lost_grains
from simfactory.simulators import create_simulator
from simfactory.simulators.newton.sand import Bed
from simfactory.simulators.newton.sand.solver import BedSolver
from simfactory.spec import Sphere
from simfactory.testing.specs import make_granular, make_ground, make_spec

FPS = 24.0


def clump(name="clump", **options):
    return make_granular(
        name, **{"geometry": Sphere(radius=0.06), "position": (0.0, 0.0, 0.07), "grain_radius": 0.012, **options}
    )


def run(*bodies, frames):
    simulator = create_simulator("newton")
    spec = make_spec(bodies=bodies, fps=FPS, frame_count=frames, ground=make_ground())
    simulator.load([spec])
    states = [simulator.state(0)]
    for _ in range(frames - 1):
        simulator.step()
        states.append(simulator.state(0))
    return spec, Trajectory.from_states(states, simulator.properties(0))


@pytest.fixture
def lengths(monkeypatch):
    """The lengths [s] of all steps that beds take."""
    taken = []
    plain = Bed.advance

    def noted(self, *arguments):
        taken.append(self.dt)
        return plain(self, *arguments)

    monkeypatch.setattr(Bed, "advance", noted)
    return taken


@pytest.mark.parametrize(("speed", "steps", "longest"), [(0.0, 4, 3), (-6.0, 5, 2)])
def test_fast_grains_take_shorter_steps_and_all_end_with_the_frame(speed, steps, longest, lengths):
    spec, _ = run(clump(position=(0.0, 0.0, 1.0), linear_velocity=(0.0, 0.0, speed)), frames=2)
    assert sum(lengths[-steps:]) == pytest.approx(1.0 / FPS)
    assert max(lengths[-steps:]) * spec.fps * spec.substep_count == pytest.approx(longest)


def test_a_clump_falls_as_it_should_at_any_step():
    _, path = run(clump(position=(0.0, 0.0, 2.0)), frames=9)
    fallen = 2.0 - path.position[-1, 0, 2]
    assert fallen == pytest.approx(0.5 * 9.81 * path.time[-1] ** 2, rel=0.01)


def test_coarse_grains_keep_off_the_floor_where_finer_ones_set_the_cell():
    spec, path = run(
        clump("fine", grain_radius=0.006, geometry=Sphere(radius=0.035), position=(0.1, 0.0, 0.05)),
        clump("coarse", grain_radius=0.02, geometry=Sphere(radius=0.1), position=(-0.15, 0.0, 0.12)),
        frames=13,
    )
    assert path.particles[1][-1][:, 2].min() > 0.6 * 0.02
    assert lost_grains(spec, path, scene_surfaces(spec)) == 0.0


def test_one_material_has_the_strength_that_newton_integrates(monkeypatch):
    seen = []
    plain = BedSolver._build_plasticity_system

    def noted(self, state, dt, pic, scratch, volume):
        plain(self, state, dt, pic, scratch, volume)
        own = scratch.strain_yield_parameters_field.dof_values.numpy().copy()
        strength, self._strength = self._strength, None
        plain(self, state, dt, pic, scratch, volume)
        self._strength = strength
        seen.append((own, scratch.strain_yield_parameters_field.dof_values.numpy()))

    monkeypatch.setattr(BedSolver, "_build_plasticity_system", noted)
    run(clump(cohesion=20.0), frames=2)
    for own, integrated in seen:
        np.testing.assert_allclose(own, integrated, rtol=1e-4)


def test_a_step_that_diverges_is_taken_again_and_else_left_out(monkeypatch):
    plain, calls = BedSolver.step, []

    def diverging(self, source, target, *arguments):
        plain(self, source, target, *arguments)
        calls.append(1)
        if len(calls) in (4, 7, 8):
            target.particle_qd.fill_(np.nan)

    monkeypatch.setattr(BedSolver, "step", diverging)
    _, path = run(clump(), frames=5)
    assert len(calls) > 8
    assert np.isfinite(path.particles[0]).all()
    assert np.abs(path.particle_velocities[0]).max() < 1.0

"""Ropes on newton: no way through anything at the speeds of sampled scenes, and forces go both ways."""

import numpy as np
import pytest

from simfactory.cords import tube_line
from simfactory.simulators.newton import NewtonSimulator
from simfactory.spec import Box, Capsule, Cone, Cylinder, Prism, Sphere, Superellipsoid, Torus
from simfactory.testing.specs import make_body, make_material, make_rope, make_spec

SHAPES = [
    Box(size=(0.2, 0.2, 0.2)),
    Sphere(radius=0.1),
    Capsule(radius=0.05, height=0.2),
    Cylinder(radius=0.1, height=0.2),
    Cone(radius=0.1, height=0.2),
    Prism(sides=5, radius=0.1, height=0.2, taper=0.7),
    Superellipsoid(radii=(0.1, 0.1, 0.1), exponents=(0.4, 0.4)),
]


def lines_of(spec, *, body=0):
    simulator = NewtonSimulator()
    simulator.load([spec])
    states = [simulator.state(0)]
    for _ in range(spec.frame_count - 1):
        simulator.step()
        states.append(simulator.state(0))
    return states, np.array([tube_line(state.vertices[body]) for state in states])


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.shape for shape in SHAPES])
def test_a_fast_rope_does_not_pass_through_a_held_body(shape):
    """At 6 m/s, the highest speed of sampled scenes, its middle stays on its side for as long as it touches."""
    rope = make_rope(radius=0.01, position=(0.0, 0.0, 0.16), linear_velocity=(0.0, 0.0, -6.0))
    spec = make_spec(
        bodies=[rope, make_body("block", shape, position=(0.0, 0.0, 0.0), mobility="static")], ground=False
    )
    _, lines = lines_of(spec.model_copy(update={"frame_count": 4}))
    middle = lines[:, 23:28]
    assert (middle[:2, :, 2].min(axis=1) > 0.0).all()
    assert np.linalg.norm(middle, axis=-1).min() > 0.04
    ends = lines[-1, [0, -1], 2]
    assert (ends < lines[-1, 25, 2] - 0.2).all()  # and it wraps


def test_a_rope_through_a_ring_stays_in_it():
    ring = make_body(
        "ring",
        Torus(radius=0.12, tube=0.03),
        position=(0.0, 0.0, 0.6),
        orientation=(0.70710678, 0.0, 0.0, 0.70710678),
        mobility="static",
    )
    rope = make_rope(points=((0.0, -0.4, 0.0), (0.0, 0.4, 0.0)), radius=0.01, position=(0.0, 0.0, 0.6))
    _, lines = lines_of(make_spec(bodies=[rope, ring], frame_count=16, ground=False))
    middle = lines[-1, np.abs(lines[-1, :, 1]).argmin()]
    assert 0.46 < middle[2] < 0.6


def test_a_fast_rope_does_not_pass_through_another():
    held = make_rope("held", ((-0.4, 0.0, 0.0), (0.4, 0.0, 0.0)), radius=0.012, held=("start", "end"))
    fast = make_rope(
        "fast",
        ((0.0, -0.4, 0.0), (0.0, 0.4, 0.0)),
        radius=0.012,
        position=(0.05, 0.0, 1.08),
        linear_velocity=(0.0, 0.0, -6.0),
    )
    _, lines = lines_of(make_spec(bodies=[fast, held], frame_count=12, ground=False))
    _, other = lines_of(make_spec(bodies=[fast, held], frame_count=12, ground=False), body=1)
    gap = np.linalg.norm(lines[:, :, None] - other[:, None], axis=-1).min(axis=(1, 2))
    assert gap.min() > 0.6 * 0.024
    assert lines[-1, 17, 2] > other[-1, :, 2].min() - 0.02


def test_a_rope_piles_up_on_itself():
    rope = make_rope(points=((0, 0, 0), (0.03, 0.01, 0.4), (-0.02, 0.0, 0.8), (0, 0, 1.2)), position=(0, 0, 0.05))
    _, lines = lines_of(make_spec(bodies=[rope], frame_count=36))
    last = lines[-1]
    assert np.ptp(last[:, 2]) > 0.02  # in layers
    apart = np.abs(np.subtract.outer(np.arange(len(last)), np.arange(len(last))))
    gap = np.linalg.norm(last[:, None] - last[None], axis=-1)
    assert gap[apart > 5].min() > 0.7 * 0.03
    assert last[:, 2].min() > 0.8 * 0.015


def test_two_hanging_ropes_carry_a_roller_that_falls_onto_them():
    """A weight in the middle of light, nearly inextensible ropes draws them into a V and comes to rest there."""
    ropes = [
        make_rope(
            name,
            points=((-0.5, 0.0, 0.0), (0.5, 0.0, 0.0)),
            slack=0.1,
            radius=0.015,
            position=(0.0, aside, 1.0),
            held=("start", "end"),
            stretch_stiffness=1e5,
            physical=make_material(density=300.0, damping=4.0, friction=0.5),
        )
        for name, aside in (("left", -0.1), ("right", 0.1))
    ]
    weight = make_body(
        "weight",
        Cylinder(radius=0.06, height=0.3),
        position=(0.0, 0.0, 0.86),
        orientation=(0.70710678, 0, 0, 0.70710678),
        physical=make_material(density=800.0, damping=4.0),
    )
    states, lines = lines_of(make_spec(bodies=[*ropes, weight], frame_count=72, ground=False))
    depth = 1.0 - lines[-1, :, 2].min()
    assert 0.15 < depth < np.sqrt(0.55**2 - 0.5**2)  # the corner of the V is cut off by the cylinder
    assert abs(states[-1].linear_velocity[2, 2]) < 0.02
    assert {(3, 5), (4, 5)} <= set(zip(states[-1].contacts.a.tolist(), states[-1].contacts.b.tolist(), strict=True))


def test_a_rope_over_a_beam_stays_or_slides_by_capstan_friction():
    """It slips where the heavier side exceeds the lighter one exp(μπ) times."""
    slid = []
    for friction in (0.02, 0.6):
        beam = make_body(
            "beam",
            Capsule(radius=0.05, height=0.4),
            position=(0.0, 0.0, 2.0),
            orientation=(0.70710678, 0.0, 0.0, 0.70710678),
            mobility="static",
            physical=make_material(friction=friction),
        )
        arc = [(0.061 * np.cos(a), 0.0, 0.061 * np.sin(a)) for a in np.linspace(0.0, np.pi, 9)]
        points = ((0.061, 0.0, -0.6), (0.061, 0.0, -0.3), *arc, (-0.061, 0.0, -0.15), (-0.061, 0.0, -0.35))
        rope = make_rope(
            points=points, radius=0.01, position=(0.0, 0.0, 2.0), physical=make_material(friction=friction)
        )
        _, lines = lines_of(make_spec(bodies=[rope, beam], frame_count=18, ground=False))
        slid.append(lines[0, 0, 2] - lines[-1, 0, 2])
    assert slid[0] > 0.2
    assert abs(slid[1]) < 0.02


def test_wind_blows_a_hanging_rope_aside_to_where_drag_balances_weight():
    """tan of the angle of a light straight rope = drag over weight, drag by the wind's part across it."""
    rope = make_rope(
        points=((0.0, 0.0, 0.0), (0.0, 0.0, -0.8)),
        position=(0.0, 0.0, 1.0),
        radius=0.01,
        held=("start",),
        bending_stiffness=0.0,
        physical=make_material(density=100.0, damping=1.0),
    )
    spec = make_spec(bodies=[rope], frame_count=240, ground=False, air_density=1.2, wind=(8.0, 0.0, 0.0))
    _, lines = lines_of(spec)
    weight, drag = 100.0 * np.pi * 0.01**2 * 9.81, 0.5 * 1.2 * 1.2 * 0.02 * 64.0
    # drag cos² θ = weight sin θ
    cosine = (-weight + np.sqrt(weight**2 + 4.0 * drag**2)) / (2.0 * drag)
    angle = np.arcsin(cosine)
    way = lines[-40:, -1].mean(axis=0) - lines[0, 0]
    assert np.arctan2(way[0], -way[2]) == pytest.approx(angle, abs=0.03)

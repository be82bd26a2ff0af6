"""Ropes are refused with what is allowed: at validation what one number tells, at meshing what the whole line does."""

import numpy as np
import pytest
from pydantic import ValidationError

from simfactory.cords import centre_line
from simfactory.errors import SpecError
from simfactory.spec import BodyRope, Cord
from simfactory.testing.specs import make_body, make_rope


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))}, "points 0 and 1 of a cord are the same: leave one"),
        ({"points": ((0.0, 0.0, 0.0), (0.05, 0.0, 0.0))}, "allowed is a length of at least four radii, 0.06 m"),
        ({"segments": 4}, "segments of 16.7 radii; allowed are 0.5 to 8, that is 9 to 133 segments"),
        ({"segments": 150, "points": ((0.0, 0.0, 0.0), (0.2, 0.0, 0.0))}, "allowed are 0.5 to 8, that is 4 to 26"),
        ({"points": ((0.0, 0.0, 0.0), (90.0, 0.0, 0.0))}, "which no number of segments gives"),
        ({"radius": 0.15, "points": ((0, 0, 0), (2, 0, 0)), "stretch_stiffness": 1e9}, "less than or equal to 1"),
        ({"held": ("start", "start")}, "name each end once"),
        ({"held": ("middle",)}, "Input should be 'start' or 'end'"),
        ({"clamped": True}, "clamped but nowhere held: name an end"),
        ({"held": ("start", "end"), "linear_velocity": (1.0, 0.0, 0.0)}, "initial velocities must be 0"),
        ({"slack": 0.2, "points": ((0, 0, 0), (0, 0, 1))}, "these two are above each other: move one"),
        ({"slack": 0.2, "points": ((0, 0, 0), (1, 0, 0), (2, 0, 0))}, "slack needs 2 points, the cord has 3"),
    ],
)
def test_impossible_ropes_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        make_rope(**options)


def test_a_solid_too_stiff_for_a_rope_is_refused():
    steel = make_rope().physical.model_copy(update={"young_modulus": 2e11})
    with pytest.raises(ValidationError, match="allowed is up to 1e8 N: thin it, or give stretch_stiffness"):
        make_rope(stretch_stiffness=None, physical=steel)


def test_ropes_have_no_scale():
    with pytest.raises(ValidationError, match="allowed is 1: move its points instead"):
        BodyRope(**{**dict(make_rope()), "scale": 2.0})


def test_only_ropes_are_cords():
    with pytest.raises(ValidationError, match="only ropes have that shape"):
        make_body("bar", Cord(radius=0.02, points=((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))))


@pytest.mark.parametrize(
    ("points", "segments", "message"),
    [
        (((0, 0, 0), (0.5, 0, 0), (0.05, 0.2, 0)), 120, "take corners out"),
        (((0, 0, 0), (0.5, 0, 0), (0.6, 0.3, 0), (0.3, 0.4, 0), (0.25, -0.3, 0.01)), None, "runs into itself"),
    ],
)
def test_lines_that_a_cord_cannot_follow_are_refused(points, segments, message):
    with pytest.raises(SpecError, match=message):
        centre_line(make_rope(points=points, segments=segments))


def test_nodes_are_evenly_spaced_and_pass_through_the_ends():
    rope = make_rope(points=((0, 0, 0), (0.3, 0.2, 0), (0.6, 0, 0.1), (1.0, 0, 0)))
    nodes = centre_line(rope)
    steps = np.linalg.norm(np.diff(nodes, axis=0), axis=-1)
    assert np.ptp(steps) < 0.02 * steps.mean()
    assert nodes[0] == pytest.approx((0, 0, 0))
    assert nodes[-1] == pytest.approx((1.0, 0, 0))


@pytest.mark.parametrize("end", [(0.8, 0.0, 0.0), (0.5, 0.3, 0.35)])
def test_slack_hangs_as_a_catenary_of_that_length(end):
    """z + const = a cosh(x/a): the second differences of z grow like z itself."""
    rope = make_rope(points=((0.0, 0.0, 0.0), end), slack=0.4)
    nodes = centre_line(rope)
    distance = float(np.linalg.norm(end))
    assert np.linalg.norm(np.diff(nodes, axis=0), axis=-1).sum() == pytest.approx(1.4 * distance, rel=2e-3)
    assert nodes[-1] == pytest.approx(end)
    assert nodes[:, 2].min() < -0.1
    way = np.hypot(nodes[:, 0], nodes[:, 1])
    slope = np.gradient(nodes[:, 2], way)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(nodes, axis=0), axis=-1))])
    inner = np.s_[2:-2]  # slope of a catenary = length from its lowest point over a
    fit = np.polyfit(along[inner], slope[inner], 1)
    assert np.abs(np.polyval(fit, along[inner]) - slope[inner]).max() < 0.02 * np.ptp(slope)

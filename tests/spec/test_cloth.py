"""Cloth is refused with a reason where it cannot be, and cut as it is told."""

import numpy as np
import pytest
from pydantic import ValidationError

from simfactory.errors import SpecError
from simfactory.meshes import body_mesh
from simfactory.simulators import create_simulator
from simfactory.spec import BodyRigid, Cape, Disc, Rectangle, Skirt, Tunic
from simfactory.tailoring import cut, held_nodes
from simfactory.testing.specs import make_body, make_cloth, make_spec

PATTERNS = {
    "sheet": (Rectangle(size=(1.0, 0.6)), 0.6),
    "round": (Disc(radius=0.5), np.pi / 4.0),
    "poncho": (Disc(radius=0.5, hole=0.1), np.pi * 0.24),
    "skirt": (Skirt(waist=0.12, hem=0.3, length=0.4), np.pi * 0.42 * np.hypot(0.18, 0.4)),
    "cape": (Cape(neck=0.08, hem=0.35, length=0.6), 0.75 * np.pi * 0.43 * np.hypot(0.27, 0.6)),
    "tunic": (Tunic(width=0.4, length=0.55, sleeve=0.18), None),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_are_whole_oriented_surfaces_of_the_right_area(name):
    pattern, area = PATTERNS[name]
    made = cut(pattern, 24)
    sides = np.concatenate([made.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    assert np.unique(sides, axis=0, return_counts=True)[1].max() == 1  # neighbours turn the same way
    assert np.unique(np.sort(sides, axis=1), axis=0, return_counts=True)[1].max() == 2
    assert len(np.unique(made.triangles)) == len(made.vertices)
    corners = made.vertices[made.triangles]
    areas = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1)
    assert areas.min() > 0.2 * areas.mean()
    if area is not None:
        assert areas.sum() == pytest.approx(area, rel=0.02)


def test_sides_corners_and_rims_are_held():
    sheet = make_cloth(resolution=10, held=("-x",))
    np.testing.assert_array_equal(held_nodes(sheet), body_mesh(sheet).vertices[:, 0] == -0.5)
    assert held_nodes(make_cloth(resolution=10, held=("-x-y",))).sum() in range(1, 4)
    skirt = make_cloth(geometry=Skirt(waist=0.12, hem=0.3, length=0.4), held=("rim",))
    assert (body_mesh(skirt).vertices[held_nodes(skirt), 2] == 0.2).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"held": ("rim",)}, r"cannot be held at \['rim'\]; allowed are"),
        ({"geometry": Disc(radius=0.5), "held": ("-x",)}, "allowed are none"),
        ({"held": ("-x",), "linear_velocity": (0.0, 0.0, 1.0)}, "initial velocities must be 0"),
        ({"geometry": Tunic(width=0.4, length=0.5, sleeve=0.1), "resolution": 4}, "raise resolution to"),
        ({"geometry": Rectangle(size=(0.02, 0.02)), "resolution": 40}, "1.5 mm and more"),
        ({"scale": 2.0}, "scale"),
        ({"area_density": 0.0}, "area_density"),
    ],
)
def test_impossible_cloth_is_refused_with_a_reason(fields, message):
    with pytest.raises(ValidationError, match=message):
        make_cloth(**fields)


def test_only_cloth_has_a_pattern():
    with pytest.raises(ValidationError, match="kind 'cloth'"):
        BodyRigid(**{**dict(make_body()), "geometry": Rectangle(size=(1.0, 1.0))})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"membrane_stiffness": 1e5}, "membrane_stiffness up to"),
        ({"bending_stiffness": 1.0, "area_density": 0.02, "resolution": 60}, "bending_stiffness up to"),
        ({"geometry": Rectangle(size=(0.2, 0.2)), "resolution": 40}, "lower resolution"),
    ],
)
def test_newton_refuses_what_it_cannot_step_and_says_what_it_can(fields, message):
    with pytest.raises(SpecError, match=message):
        create_simulator("newton").signature(make_spec(bodies=[make_cloth(**fields)]))

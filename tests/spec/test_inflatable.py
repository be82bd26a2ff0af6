"""Inflatables are closed shells, resolved and blown up; what is not is refused with a way out."""

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from simfactory.shells import enclosed_volume, shell, shell_area
from simfactory.spec import Box, Capsule, Cone, Rectangle, Sphere, Torus
from simfactory.testing.specs import make_inflatable

FORMS = (Sphere(radius=0.2), Box(size=(0.8, 0.5, 0.2)), Capsule(radius=0.1, height=0.4), Torus(radius=0.3, tube=0.08))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.shape)
def test_shells_are_closed_and_face_outwards(form):
    made = shell(form, (1.0, 1.2, 0.9), 16)
    directed = Counter((row[k], row[(k + 1) % 3]) for row in made.triangles.tolist() for k in range(3))
    assert all(count == 1 and directed[head, tail] == 1 for (tail, head), count in directed.items())
    assert enclosed_volume(made.vertices, made.triangles) > 0.0
    assert len(np.unique(made.triangles)) == len(made.vertices)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.shape)
def test_shells_are_of_even_triangles(form):
    made = shell(form, (1.0, 1.0, 1.0), 16)
    corners = made.vertices[made.triangles]
    lengths = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1)
    assert lengths.min() > 0.6 * made.edge
    assert lengths.max() < 1.7 * made.edge


def test_a_shell_has_the_volume_and_area_of_its_shape():
    made = shell(Sphere(radius=0.2), (1.0, 1.0, 1.0), 32)
    assert enclosed_volume(made.vertices, made.triangles) == pytest.approx(4.0 / 3.0 * np.pi * 0.2**3, rel=5e-3)
    assert shell_area(made.vertices, made.triangles) == pytest.approx(4.0 * np.pi * 0.2**2, rel=5e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"geometry": Cone(radius=0.2, height=0.3)}, "cannot be a cone: gas stays in shells that are closed"),
        ({"geometry": Rectangle(size=(1.0, 1.0))}, "allowed are box, capsule, sphere, torus: take one of these"),
        ({"gauge_pressure": -10.0}, "greater than or equal to 0"),
        ({"resolution": 64}, "lower resolution or make it larger"),
        ({"geometry": Box(size=(1.0, 1.0, 0.1)), "resolution": 8}, "raise resolution to 21 or more"),
        ({"mobility": "static"}, "dynamic"),
    ],
)
def test_what_holds_no_gas_is_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        make_inflatable(**options)

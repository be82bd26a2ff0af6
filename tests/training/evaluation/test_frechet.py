"""The Fréchet distance has its closed form, and random features tell videos apart."""

import numpy as np
import pytest

from simfactory.errors import SpecError
from training.evaluation.features import extractor_names, load_extractor
from training.evaluation.frechet import frechet_distance


def test_it_is_that_of_two_normal_laws():
    """Of diagonal laws: |μ₁ − μ₂|² + Σ (σ₁ − σ₂)²."""
    drawn = np.random.default_rng(0).standard_normal((4000, 3))
    white = (drawn - drawn.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn, rowvar=False))).T
    other = white * (2.0, 1.0, 0.5) + (1.0, 0.0, -2.0)
    assert frechet_distance(white, other) == pytest.approx(5.0 + 1.0 + 0.25, rel=1e-6)
    assert frechet_distance(white, white) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(white, other) == pytest.approx(frechet_distance(other, white), rel=1e-6)


def test_few_videos_have_a_distance_too():
    features = np.random.default_rng(0).standard_normal((3, 20))
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-5)
    assert frechet_distance(features, features + 1.0) == pytest.approx(20.0, rel=1e-4)


def test_random_features_tell_noise_and_stillness_from_motion():
    extractor = load_extractor("random3d")
    rng = np.random.default_rng(0)

    def clips(kind):
        for _ in range(6):
            frame = rng.integers(60, 200, (4, 5, 3)).repeat(6, axis=0).repeat(6, axis=1)
            shifts = {"moving": [0, 2, 4, 6], "like": [0, 2, 4, 6], "still": [0] * 4}.get(kind, [])
            frames = [np.roll(frame, shift, axis=1) for shift in shifts] or [*rng.integers(0, 255, (4, 24, 30, 3))]
            yield extractor.features(np.stack(frames).astype(np.uint8))

    sets = {kind: np.stack([*clips(kind)]) for kind in ("moving", "like", "still", "noise")}
    near = frechet_distance(sets["moving"], sets["like"])
    assert near < frechet_distance(sets["moving"], sets["noise"])
    assert (sets["moving"].shape, extractor_names()) == ((6, 96), ("random3d",))
    again = load_extractor("random3d").features(np.full((2, 8, 8, 3), 7, np.uint8))
    np.testing.assert_array_equal(again, extractor.features(np.full((2, 8, 8, 3), 7, np.uint8)))


def test_what_does_not_fit_is_refused():
    with pytest.raises(SpecError, match="two videos"):
        frechet_distance(np.zeros((1, 3)), np.zeros((4, 3)))
    with pytest.raises(SpecError, match="no extractor 'magic'"):
        load_extractor("magic")

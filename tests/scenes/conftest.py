"""Sampled specs that several tests look at."""

import pytest

import scenes
from simfactory.spec import SceneSpec

SPEC_COUNT = 240


@pytest.fixture(scope="session")
def sampled() -> list[SceneSpec]:
    """Specs of one seed, all tiers and base scenes mixed."""
    return [scenes.sample("rigid", seed=11, index=index) for index in range(SPEC_COUNT)]

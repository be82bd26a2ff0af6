"""What the tests of actions share: a scene with a block on the bench, seen by an observer."""

import pytest

from simfactory.actions.observer import Observer
from simfactory.spec import Box
from simfactory.testing.arms import arm_state, arm_thing, make_arm_spec

BLOCK = arm_thing("block", Box(size=(0.06, 0.03, 0.05)), (0.45, 0.1), below=0.025)
BRICK = arm_thing("brick", Box(size=(0.12, 0.11, 0.05)), (0.45, -0.2), below=0.025)


@pytest.fixture
def spec():
    """A scene of a block, long along x, and a brick that is wider than the hand."""
    return make_arm_spec(BLOCK, BRICK)


@pytest.fixture
def look(spec):
    """Return a function that returns what is seen of the scene at a frame; options as of `arm_state`."""
    observer = Observer(spec)

    def seen(frame=0, **options):
        return observer.observe(arm_state(spec, frame, {}, **options), command=observer.start)

    return seen

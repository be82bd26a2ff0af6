"""A batch of a falling ball, and one of a video of it."""

import pytest

from training.data import collate, open_source
from training.data.window_dataset import WindowDataset
from training.data.windows import WindowKey, Windows
from training.targets import needed_outputs


@pytest.fixture
def make_batch(falling, filmed):
    """Returns a function that makes a batch of the first windows of clips; `filmed` ones lack what videos lack."""

    def make(losses, *, simulated=2, videos=0):
        lacking = ("scene_flow", "camera", "mask", "instance", "tracks", "contacts")
        sources = [open_source(falling), open_source(filmed, may_lack=lacking)]
        outputs = needed_outputs(losses)
        dataset = WindowDataset(sources, windows=Windows(length=5), outputs=outputs)
        keys = [WindowKey(source=0, clip_id=sources[0].dataset.ids[index], start=0) for index in range(simulated)]
        keys += [WindowKey(source=1, clip_id=sources[1].dataset.ids[0], start=0)] * videos
        return collate([dataset[key] for key in keys])

    return make

"""Flow beyond the stored range: saturated values are not valid, whether or not a mask is asked for."""

import numpy as np
import pytest

from simfactory.dataset import open_dataset
from simfactory.signals import HIT, Precision, Signal
from simfactory.store import ClipWriter, clip_id, create_dataset
from training.data import WindowDataset, WindowLoader, Windows, WindowSampler, open_source

STEP = 1 / 64
REACH = 32767 * STEP
IMAGE = ("time", "y", "x")
PRECISION = Precision(dtype="int16", scale=STEP)
SIGNALS = [
    Signal(name="rgb", dims=(*IMAGE, "channel"), dtype="uint8", unit="1", description="Colour."),
    Signal(name="mask", dims=IMAGE, dtype="uint8", unit="1", description="Bits."),
    Signal(
        name="flow_forward",
        dims=("time", "uv", "y", "x"),
        dtype="float32",
        unit="px",
        description="Flow.",
        fill=float("nan"),
        precision=PRECISION,
    ),
]


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """Two clips: slow flow, and one pixel of the second is faster than the store can say."""
    folder = create_dataset(tmp_path_factory.mktemp("fast") / "dataset")
    for number, speed in enumerate((1.0, 2 * REACH)):
        size = {"frame_count": 4, "height": 6, "width": 8}
        identity = clip_id({"fast": number})
        with ClipWriter(folder, identity, signals=SIGNALS, attributes={"fps": 24.0}, **size) as writer:
            for _ in range(4):
                flow = np.ones((2, 6, 8), np.float32)
                flow[0, 2, 3] = speed
                rgb, mask = np.zeros((6, 8, 3), np.uint8), np.full((6, 8), HIT, np.uint8)
                writer.append({"rgb": rgb, "mask": mask, "flow_forward": flow})
            row = {"index": number, "fps": 24.0, "modalities": ["rgb", "mask", "flow_forward"]}
            writer.commit(arrays={}, attributes={}, row=row)
    return folder.path


def test_clips_say_what_was_saturated(fast):
    slow, quick = open_dataset(fast)
    assert slow.saturated == {}
    assert quick.saturated == {"flow_forward": 4}


@pytest.mark.parametrize("decode", [True, False])
def test_saturated_flow_is_not_valid(fast, decode):
    source, windows = open_source(fast), Windows(length=4)
    dataset = WindowDataset([source], windows=windows, outputs=["flow_forward"], decode=decode)
    sampler = WindowSampler([source], windows=windows, batch_size=2, seed=0, shuffle=False)
    (batch,) = WindowLoader(dataset, sampler)
    if not decode:
        batch = dataset.decode_batch(batch)
    wrong = ~batch["flow_forward_valid"]
    assert wrong.nonzero().tolist() == [[1, frame, 2, 3] for frame in range(4)]
    assert batch["flow_forward"][1, 0, 0, 2, 3] == REACH

"""Clips of falling balls, each with a loser that goes backwards, as pairs in a dataset."""

import shutil

import numpy as np
import pytest

from simfactory import catalog
from simfactory.dataset import open_dataset
from simfactory.store import ClipWriter, clip_id, open_folder


def write_loser(path, clip, *, violation="gravity", pair=None, frames=None):
    """Write the colours of a clip, its first frame and then the others from the last one on, as its loser."""
    size = {"frame_count": frames or clip.frame_count, "height": clip.height, "width": clip.width}
    labels = {"violation": violation, "pair": clip.id if pair is None else pair}
    (row,) = (row for row in open_dataset(path, violation=None).rows() if row["clip_id"] == clip.id)
    attributes = {"fps": clip.fps, "caption": clip.caption, **labels}
    identity = clip_id({"loser": clip.id, **labels})
    with ClipWriter(
        open_folder(path), identity, signals=[clip.signals["rgb"]], attributes=attributes, **size
    ) as writer:
        rgb = clip.read("rgb")
        for frame in np.concatenate([rgb[:1], rgb[:0:-1]])[: size["frame_count"]]:
            writer.append({"rgb": frame})
        kept = {name: row[name] for name in ("split", "tier", "category", "scene", "camera", "fps", "seed", "index")}
        assert writer.commit(arrays={}, attributes={}, row={**kept, **labels, "modalities": ["rgb"]})
    return identity


@pytest.fixture
def copied(falling, tmp_path):
    """A copy of `falling` to add clips to."""
    shutil.copytree(falling, tmp_path / "dataset")
    return tmp_path / "dataset"


@pytest.fixture(scope="session")
def pairs(falling, tmp_path_factory):
    """`falling` with two losers of each of its first six clips: 12 pairs of 7 frames, 16 x 16 px."""
    path = tmp_path_factory.mktemp("pairs") / "dataset"
    shutil.copytree(falling, path)
    clips = list(open_dataset(path))[:6]
    for clip in clips:
        for violation in ("gravity", "teleport"):
            write_loser(path, clip, violation=violation)
    catalog.update(open_folder(path))
    return path


@pytest.fixture(scope="session")
def pairs_large(falling_large, tmp_path_factory):
    """Two clips of 7 frames, 32 x 32 px, each with a loser."""
    path = tmp_path_factory.mktemp("pairs") / "large"
    shutil.copytree(falling_large, path)
    for clip in list(open_dataset(path)):
        write_loser(path, clip)
    catalog.update(open_folder(path))
    return path

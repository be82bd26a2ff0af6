"""Fingerprints: 64-bit hashes that stay almost the same when a video is encoded again."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from training.videos.shot import Shot

__all__ = ["FAR", "distance", "fingerprint"]

UInt64 = npt.NDArray[np.uint64]
Float32 = npt.NDArray[np.float32]

FAR = 64.0  # [bits] distance to nothing
_PLACES = (1 / 6, 3 / 6, 5 / 6)  # of the shot, where pictures are hashed
_BITS = (np.uint64(1) << np.arange(64, dtype=np.uint64)).astype(np.uint64)


def fingerprint(shot: Shot) -> UInt64:
    """Return four hashes: of three pictures, and of how much each pixel changes over the shot.

    The last one tells shots apart that show other motion before the same background.
    """
    pictures = [cv2.cvtColor(shot.pictures[int(place * len(shot))], cv2.COLOR_RGB2GRAY) for place in _PLACES]
    change = shot.gray.astype(np.float32).std(axis=0)
    return np.array([_hash(picture.astype(np.float32)) for picture in (*pictures, change)], np.uint64)


def distance(one: UInt64, others: Sequence[UInt64]) -> float:
    """Return how far a fingerprint is from the nearest of others [bits of 64]; 64 if there is none.

    Two are as far apart as their pictures on average, or as their changes if those are farther.
    """
    if not others:
        return FAR
    different = np.stack(others) ^ one
    bits = ((different[..., None] & _BITS) != 0).sum(axis=-1)
    return float(np.maximum(bits[:, :-1].mean(axis=-1), bits[:, -1]).min())


def _hash(picture: Float32) -> np.uint64:
    """Return which of the 64 slowest waves of a picture are stronger than their median.

    **Source**: Zauner 2010, "Implementation and benchmarking of perceptual image hash functions".
    """
    waves = cv2.dct(cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA))[1:9, 1:9].ravel()
    return np.uint64(_BITS[waves > np.median(waves)].sum())

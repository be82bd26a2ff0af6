"""Drops what people would not like to look at, as LAION's predictor on CLIP's features tells: needs weights."""

from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from simfactory.errors import SpecError
from training.videos.filters.base import Context, ShotFilter
from training.videos.shot import Shot
from training.weights import need_weights

if TYPE_CHECKING:
    from torch import nn

__all__ = ["FILTER"]

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

_CLIP = "openai/clip-vit-large-patch14"
_FILE = "sa_0_4_vit_l_14_linear.pth"
_SOURCE = "https://github.com/LAION-AI/aesthetic-predictor"
_WIDTH = 768  # of CLIP's features
_SIDE = 224  # [px] of the pictures that it takes
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073])  # of red, green and blue in what it was trained on
_SPREAD = np.array([0.26862954, 0.26130258, 0.27577711])


def _missing() -> str:
    """Return what must be there first; CLIP itself is fetched, or read from the local cache, when it is used."""
    try:
        need_weights("aesthetic", _FILE, source=_SOURCE)
    except SpecError as error:
        return str(error)
    return ""


@cache
def _models() -> tuple[Any, "nn.Linear"]:  # Any: transformers types its models loosely
    import torch
    from transformers import CLIPModel

    scorer = torch.nn.Linear(_WIDTH, 1)
    path = need_weights("aesthetic", _FILE, source=_SOURCE)
    scorer.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    try:
        clip: Any = CLIPModel.from_pretrained(_CLIP)  # Any: as above
    except OSError as error:
        raise SpecError(f"aesthetic needs {_CLIP}, which cannot be fetched ({error}): put it into the cache") from error
    return clip.eval(), scorer.eval()


def _measure(shot: Shot, context: Context) -> dict[str, float]:
    """Return the mean score of three pictures, from 1 to 10. Its weights could not be had here: it has not been run.

    **Source**: LAION-AI/aesthetic-predictor, ViT-L/14 with a linear head.
    """
    import torch

    clip, scorer = _models()
    chosen = np.stack([_prepared(shot.pictures[int(place * len(shot))]) for place in (1 / 6, 3 / 6, 5 / 6)])
    with torch.no_grad():
        features = clip.get_image_features(pixel_values=torch.from_numpy(chosen)).pooler_output
        scores = scorer(torch.nn.functional.normalize(features, dim=-1))
    return {"aesthetic": float(scores.mean())}


def _prepared(picture: UInt8) -> Float32:
    """Return the middle of a picture as CLIP takes it, `(3, 224, 224)`."""
    side = min(picture.shape[:2])
    top, left = ((extent - side) // 2 for extent in picture.shape[:2])
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    scaled = cv2.resize(square, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if side > _SIDE else cv2.INTER_CUBIC)
    return np.ascontiguousarray(((scaled / 255.0 - _MEAN) / _SPREAD).transpose(2, 0, 1), np.float32)


FILTER = ShotFilter(
    name="aesthetic",
    drops="what people would not like to look at",
    cost=9,
    ranges={"aesthetic": (4.5, 10.0)},
    measure=_measure,
    missing=_missing,
    optional=True,
)

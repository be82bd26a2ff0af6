"""What commands are given: models on a device, pictures, sizes."""

from pathlib import Path
from typing import TYPE_CHECKING

from simfactory.errors import AssetError, SpecError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from training.model import TrainedModel

__all__ = ["loaded_model", "read_picture", "size_of"]


def loaded_model(model: str, device: str) -> "TrainedModel":
    """Return a model on a device, ready to be asked; `auto` is a GPU where there is one.

    Raises:
        SpecError: There is no such model or device.
    """
    import torch

    from training.model import TrainedModel

    found = TrainedModel.load(model)
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        found.backbone.to(where).eval()
        if found.heads is not None:
            found.heads.to(where).eval()
    except (RuntimeError, AssertionError) as error:
        raise SpecError(f"device {device!r}: {str(error).splitlines()[0]}; give cpu, cuda or cuda:1") from error
    return found


def read_picture(path: Path) -> "npt.NDArray[np.uint8]":
    """Return `(height, width, 3)` uint8, sRGB.

    Raises:
        AssetError: It cannot be read.
    """
    import cv2
    import numpy as np

    image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if image is None:
        raise AssetError(f"{path} cannot be read as a picture; give a PNG or JPEG file")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def size_of(text: str) -> tuple[int, int]:
    """Return rows and columns [px] of a size such as 64x96, width first.

    Raises:
        SpecError: It is none.
    """
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise SpecError(f"size {text!r}; give WIDTHxHEIGHT, e.g. 96x64")
    return int(height), int(width)

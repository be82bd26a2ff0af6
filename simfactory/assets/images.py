"""Image files of strangers: what their headers claim, and their pixels, decoded in a limited process."""

import re
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simfactory.assets.limits import run_confined
from simfactory.assets.vault import keep_arrays, kept_arrays
from simfactory.errors import AssetError

__all__ = ["EDGE_MAX", "Pixels", "declared_size", "decoded", "read_image"]

Pixels = npt.NDArray[np.float32 | np.uint8]

EDGE_MAX = 8192  # of a file [px]
LIGHT_WIDTH = 128, 1024  # limits of an environment map in memory [px]
IMAGE_EDGE = 1024  # to which larger images are reduced [px]
SECONDS_MAX = 60  # of processor time to decode a file
VERSION = 1  # of decoding; pixels of another version are made again


def read_image(content: bytes, digest: str, *, label: str, light: bool) -> Pixels:
    """Return the pixels of an image file as `decoded` does, but have them decoded in a limited process.

    They are kept in the asset folder, so that a file is decoded once.

    Args:
        content: The file's bytes.
        digest: Their SHA-256.
        label: Its name, for messages.
        light: Whether it is an environment map.

    Raises:
        AssetError: The file is damaged, hostile, or no such image.
    """
    name = f"{'light' if light else 'image'}-{VERSION}"
    kept = kept_arrays(digest, name)
    if kept is None:
        module, kind = "simfactory.assets.image_reading", "light" if light else "image"
        with tempfile.TemporaryDirectory(prefix="simfactory-image-") as folder:
            Path(folder, "given").write_bytes(content)
            run_confined(module, "given", kind, label=label, folder=Path(folder), seconds=SECONDS_MAX)
            pixels: Pixels = np.load(Path(folder) / "pixels.npy", allow_pickle=False)
        keep_arrays(digest, name, {"pixels": pixels})
        return pixels
    return np.asarray(kept["pixels"])


def decoded(content: bytes, *, light: bool) -> Pixels:
    """Return the pixels of a file `(height, width, 3)`, RGB: uint8, or float32 radiance of an environment map.

    Edges are brought to the nearest powers of two within limits; an environment map keeps an allowed power of two.

    Raises:
        AssetError: The file is too large, damaged, or no such image.
    """
    import cv2

    size = declared_size(content)
    if size is not None and max(size) > EDGE_MAX:
        raise AssetError(f"it has {size[0]}x{size[1]} pixels; at most {EDGE_MAX} along an edge are allowed")
    try:
        flags = cv2.IMREAD_UNCHANGED if light else cv2.IMREAD_COLOR
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise AssetError(f"cannot read it: {error.err}") from error
    if size is None or image is None or image.ndim != 3 or image.shape[2] != 3:
        raise AssetError("cannot read it as an image in colour: it is damaged or of another format")
    image = np.ascontiguousarray(image[..., ::-1])
    if not light:
        height, width = (min(_power_of_two(edge), IMAGE_EDGE) for edge in image.shape[:2])
        return _resized(np.asarray(image, np.uint8), height, width)
    if image.shape[1] != 2 * image.shape[0]:
        raise AssetError(f"it has {image.shape[1]}x{image.shape[0]} pixels; an environment map is twice as wide")
    if image.dtype != np.float32 or not np.isfinite(image).all() or image.min() < 0.0 or image.max() <= 0.0:
        raise AssetError("it holds no light, negative light or values that are no numbers: write it anew")
    low, high = LIGHT_WIDTH
    width = min(max(_power_of_two(image.shape[1]), low), high)
    return _resized(np.asarray(image, np.float32), width // 2, width)


def _power_of_two(edge: int) -> int:
    """Return the power of two nearest to an edge [px], by ratio."""
    return 1 << max(round(float(np.log2(edge))), 0)


def _resized(image: Pixels, height: int, width: int) -> Pixels:
    import cv2

    if image.shape[:2] == (height, width):
        return image
    mode = cv2.INTER_AREA if height <= image.shape[0] and width <= image.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=mode))


def declared_size(content: bytes) -> tuple[int, int] | None:
    """Return the width and height that a file's header declares; None where it has none that is known."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) > 24:
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return 1, 1  # only those of the package, which are small
    if content[:2] == b"#?":
        found = re.search(rb"\n-Y (\d{1,9}) \+X (\d{1,9})\n", content[:4096])
        return (int(found[2]), int(found[1])) if found else None
    place = 2
    while content[:2] == b"\xff\xd8" and place + 9 < len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of a frame
            height, width = content[place + 5 : place + 7], content[place + 7 : place + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        place += 2 + length
    return None

"""The limited process that decodes one image file: `python -m simfactory.assets.image_reading FILE image|light`."""

import sys
from pathlib import Path

import numpy as np

from simfactory.assets.images import SECONDS_MAX, decoded
from simfactory.assets.limits import confine, report

__all__: list[str] = []


def _read(path: Path, *, light: bool) -> dict[str, object]:
    """Decode a file; leave `pixels.npy` in the working folder."""
    pixels = decoded(path.read_bytes(), light=light)
    np.save("pixels.npy", pixels, allow_pickle=False)
    return {"height": pixels.shape[0], "width": pixels.shape[1]}


def main() -> None:
    """Decode the file named on the command line under limits."""
    confine(seconds=SECONDS_MAX)
    path, kind = sys.argv[1:]
    report(lambda: _read(Path(path), light=kind == "light"))


if __name__ == "__main__":
    main()

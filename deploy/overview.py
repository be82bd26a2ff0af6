"""Writes one picture of a dataset: for the first clip of each category, colour, depth, flow and 4D points.

python deploy/overview.py out/demo docs/overview.png
"""

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np

from simfactory import open_dataset
from simfactory.exporters import find_exporter

GAP = 6  # px


def main() -> None:
    """Export the overview of each category and put them under one another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="folder of a dataset")
    parser.add_argument("picture", type=Path, help="PNG to write")
    options = parser.parse_args()
    first = {clip.spec["category"]: clip for clip in reversed(list(open_dataset(options.dataset)))}
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for category in sorted(first):
            path = find_exporter("overview").export(first[category], Path(folder) / f"{category}.png")
            rows.append(cv2.imread(str(path)))
    gap = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(options.picture), np.concatenate([part for row in rows for part in (row, gap)][:-1]))


if __name__ == "__main__":
    main()

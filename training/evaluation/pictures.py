"""A picture of predictions beside the truth: colours, depth, flow and 4D points of some frames."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from simfactory.errors import StoreError
from simfactory.exporters.overview import paint_points, side_view
from simfactory.exporters.painting import paint_frame, save_bytes
from training.evaluation.truth import ClipTruth
from training.predicting import Prediction

__all__ = ["write_picture"]

COLUMNS = 5
LEAST_HEIGHT = 96  # of a frame [px]: smaller ones are enlarged
LABEL = 15  # [px] above each row
GAP = 3  # [px]
BLANK = np.uint8(255)

Image = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]


def write_picture(truth: ClipTruth, predictions: Mapping[str, Prediction], path: Path) -> Path:
    """Write a PNG: one row a signal of the truth and of each prediction, one column a frame; return its path.

    Depth and flow have one scale of colours in all rows, that of the truth. Points are seen from the side, the surface
    dimmed, over it what moves up to that frame, from violet (first) to yellow (last).

    Args:
        truth: Of the clip.
        predictions: Name → prediction of the same clip.
        path: The file.

    Raises:
        StoreError: It cannot be written.
    """
    count = len(truth.exact.frames)
    frames = np.linspace(0, count - 1, min(COLUMNS, count)).round().astype(np.int64)
    moving = np.linspace(0, max(count - 2, 0), len(frames)).round().astype(np.int64)  # the last frame has no flow
    everyone = {"truth": truth.exact, **predictions}
    rows = [(f"colour, {name}", frames, _colors(one, frames)) for name, one in everyone.items() if _own(truth, one)]
    rows += _painted("depth", frames, {name: one.depth for name, one in everyone.items()})
    rows += _painted("flow_forward", moving, {name: one.flow for name, one in everyone.items()})
    rows += [(f"4D points, {name}", moving, panels) for name, panels in _clouds(truth, everyone, moving).items()]
    sheet = np.concatenate([_row(label, numbers, panels) for label, numbers, panels in rows])
    done, data = cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]))
    if not done:
        raise StoreError(f"{path}: OpenCV could not encode a PNG of {sheet.shape[1]} x {sheet.shape[0]} pixels")
    save_bytes(path, data.tobytes())
    return path


def _own(truth: ClipTruth, one: Prediction) -> bool:
    """Return whether its frames are not the clip's own, or it is the truth itself."""
    return one is truth.exact or not np.array_equal(one.frames, truth.exact.frames)


def _colors(one: Prediction, frames: npt.NDArray[np.int64]) -> list[Image]:
    return list(one.frames[frames])


def _painted(
    signal: str, frames: npt.NDArray[np.int64], values: Mapping[str, npt.NDArray[np.float32] | None]
) -> list[tuple[str, npt.NDArray[np.int64], list[Image]]]:
    """Return the rows of a signal, painted together and cut to the truth's range: a colour means the same in all."""
    known = {name: array[frames] for name, array in values.items() if array is not None}
    known = {name: array if name == "truth" else _cut(array, known["truth"]) for name, array in known.items()}
    # All rows under each other and all frames side by side: one large picture.
    strips = [np.concatenate(list(array), axis=-1) for array in known.values()]
    large = paint_frame({signal: np.concatenate(strips, axis=-2)})[signal]
    named = signal.removesuffix("_forward")
    return [
        (f"{named}, {name}", frames, np.split(strip, len(frames), axis=1))
        for name, strip in zip(known, np.split(large, len(known), axis=0), strict=True)
    ]


def _cut(values: npt.NDArray[np.float32], true: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return depth, or flow `(frame, 2, …)`, no smaller or larger than the true one."""
    if values.ndim == 3:
        finite = true[np.isfinite(true)]
        return np.clip(values, finite.min(initial=np.inf), finite.max(initial=-np.inf)) if finite.size else values
    longest = np.nanmax(np.linalg.norm(true, axis=1), initial=0.0)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values * np.minimum(1.0, longest / np.maximum(length, 1e-6)), np.float32)


def _clouds(
    truth: ClipTruth, everyone: Mapping[str, Prediction], frames: npt.NDArray[np.int64]
) -> dict[str, list[Image]]:
    cameras = truth.intrinsics, truth.camera_to_world
    true = truth.exact.cloud(*cameras, fps=truth.fps)
    assert true is not None  # the truth knows
    seen = truth.exact.cloud(*cameras, fps=truth.fps, moving=False)
    center = np.median((true if len(true.position) else seen or true).position[:, :3].astype(np.float64), axis=0)
    view = side_view(truth.camera_to_world[0], center)
    panels = {name: [_cloud_panel(truth, one, int(frame), view) for frame in frames] for name, one in everyone.items()}
    return {name: [one for one in row if one is not None] for name, row in panels.items() if row[0] is not None}


def _cloud_panel(truth: ClipTruth, one: Prediction, frame: int, view: Float64) -> Image | None:
    """Paint the surface of one frame, and what moves up to it."""
    cameras = truth.intrinsics, truth.camera_to_world
    surface = one.cloud(*cameras, fps=truth.fps, moving=False)
    moving = one.cloud(*cameras, fps=truth.fps, moving=True)
    if surface is None or one.depth is None:
        return None
    rows = slice(surface.offsets[frame], surface.offsets[frame + 1])
    hit = np.isfinite(one.depth[frame]) & (one.depth[frame] > 0.0)
    height, width = one.depth.shape[1:]
    shown = np.zeros((0, 4), np.float32) if moving is None else moving.position[: moving.offsets[frame + 1]]
    scale = _enlargement(height)
    k = truth.intrinsics[0].copy()
    k[:2] *= scale
    return paint_points(
        surface.position[rows, :3].astype(np.float64),
        one.frames[frame][hit],
        shown[:, :3].astype(np.float64),
        shown[:, 3].astype(np.float64) * truth.fps / max(len(one.frames) - 1, 1),
        view=view,
        intrinsics=k,
        size=(height * scale, width * scale),
    )


def _enlargement(height: int) -> int:
    return max(1, -(-LEAST_HEIGHT // height))


def _row(label: str, numbers: npt.NDArray[np.int64], panels: list[Image]) -> Image:
    height = max(LEAST_HEIGHT, len(panels[0]))
    large = [panel.repeat(_enlargement(len(panel)), axis=0) for panel in panels]
    large = [panel.repeat(_enlargement(len(small)), axis=1) for panel, small in zip(large, panels, strict=True)]
    height, width = large[0].shape[:2]
    row = np.full((LABEL + height + GAP, (width + GAP) * COLUMNS - GAP, 3), BLANK, np.uint8)
    for column, (number, panel) in enumerate(zip(numbers, large, strict=True)):
        left = column * (width + GAP)
        row[LABEL : LABEL + height, left : left + width] = panel
        # The first panel's row is named there; its number would lie in the name.
        text, place = (label, left + 2) if column == 0 else (str(number), left + width - 16)
        cv2.putText(row, text, (place, LABEL - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return row

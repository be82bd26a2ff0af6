"""All generated videos of an evaluation against all true ones."""

from collections.abc import Mapping
from typing import final

import numpy as np
import numpy.typing as npt

from training.evaluation.features import FeatureExtractor
from training.evaluation.frechet import frechet_distance
from training.evaluation.held_out import HeldOutClip, still
from training.evaluation.report import ReportCurve
from training.predicting import Prediction

__all__ = ["VideoSet"]


@final
class VideoSet:
    """Features of videos, as clips are evaluated.

    Args:
        extractor: Of the features.
    """

    def __init__(self, extractor: FeatureExtractor) -> None:
        self.extractor = extractor
        self._true: list[npt.NDArray[np.float64]] = []
        self._made: dict[str, list[npt.NDArray[np.float64]]] = {}

    def add(self, clip: HeldOutClip) -> None:
        """Take a clip's videos: the true one, the still one and those that models made."""
        made: Mapping[str, Prediction] = {"still": still(clip.truth), **clip.predictions}
        self._true.append(self.extractor.features(clip.truth.exact.frames))
        for name, video in made.items():
            if not np.array_equal(video.frames, clip.truth.exact.frames):
                self._made.setdefault(name, []).append(self.extractor.features(video.frames))

    def distances(self) -> ReportCurve | None:
        """Return the Fréchet distance of each column's videos; None for fewer than two clips.

        It is one figure for all clips, so it has no interval. Its floor is that of half of the true videos against the
        other half, which is biased upwards: the halves are smaller.
        """
        columns = {name: rows for name, rows in self._made.items() if len(rows) == len(self._true)}
        if len(self._true) < 2 or not columns:
            return None
        true = np.stack(self._true)
        found = {name: frechet_distance(np.stack(rows), true) for name, rows in columns.items()}
        if len(true) > 3:
            found = {"half of the truth against the other": frechet_distance(true[::2], true[1::2]), **found}
        label = self.extractor.label
        return ReportCurve(
            name=f"{label} of all {len(true)} videos ({self.extractor.version})",
            x_name="videos",
            x=[*found],
            series={label: [*found.values()]},
        )

"""What is looked at before the first step: whether the clips hold what training needs, and fit together."""

from collections import Counter
from collections.abc import Sequence
from typing import cast

from simfactory.dataset import Dataset
from simfactory.errors import SpecError, StoreError
from training.data.framing import Framing
from training.data.outputs import checked_outputs, needed_modalities
from training.data.source import Source
from training.data.windows import Windows

__all__ = ["check_sources"]

_SHOWN = 3  # clips that a message names


def check_sources(
    sources: Sequence[Source],
    *,
    windows: Windows,
    outputs: Sequence[str],
    framing: Framing | None = None,
    mixed_fps: bool = False,
) -> None:
    """Refuse clips that cannot be trained on together; only catalogues are read.

    Args:
        sources: What is to be mixed.
        windows: How windows are cut.
        outputs: Names of `training.data.OUTPUTS`.
        framing: Crop and size.
        mixed_fps: Whether clips may have different frame rates: displacements per frame mean different speeds then.

    Raises:
        SpecError: An output is unknown; no clip is as long as a window; a crop or size does not fit; sizes of the
            tensors or frame rates differ.
        StoreError: A modality is missing; the message says from which clips, and how to generate them.
    """
    if not sources:
        raise SpecError("there is no dataset to train on; name at least one")
    names = checked_outputs(outputs)
    for source in sources:
        if not len(source.dataset):
            raise StoreError(f"{source.dataset.path}: no clip; `simfactory generate --out FOLDER` makes some")
        _check_modalities(source, names)
        _check_lengths(source, windows)
    _check_sizes(sources, framing or Framing())
    if not mixed_fps:
        _check_rates(sources)


def _check_modalities(source: Source, outputs: Sequence[str]) -> None:
    needed = set(needed_modalities(outputs)) - source.may_lack
    lacking: dict[str, list[str]] = {}
    columns = (source.dataset.table[name].to_pylist() for name in ("clip_id", "modalities"))
    for clip_id, present in zip(*columns, strict=True):
        for modality in needed - set(present or ()):
            lacking.setdefault(modality, []).append(clip_id)
    if not lacking:
        return
    told = "; ".join(
        f"{modality} is missing from {len(clips)} of {len(source.dataset)} clips ({_listed(clips)})"
        for modality, clips in sorted(lacking.items())
    )
    everything = ",".join(sorted(needed | {"rgb"}))
    raise StoreError(
        f"{source.dataset.path}: {told}. {', '.join(outputs)} need {', '.join(sorted(needed))}: generate clips with "
        f"`simfactory generate --modalities {everything} --out FOLDER`, ask for other outputs, or name in the source's "
        "may_lack what real videos have not"
    )


def _check_lengths(source: Source, windows: Windows) -> None:
    counts = Counter(cast(list[int], source.dataset.table["frame_count"].to_pylist()))
    if max(counts) < windows.length:
        there = ", ".join(
            f"{count} of {frames} frames" for frames, count in sorted(counts.items(), reverse=True)[:_SHOWN]
        )
        fitting = (max(counts) - 1) // windows.latent_stride * windows.latent_stride + 1
        raise SpecError(
            f"{source.dataset.path}: windows of {windows.length} frames are longer than every clip: there are {there}. "
            f"Take at most {fitting} frames, or generate with --frames {windows.length}"
        )


def _check_sizes(sources: Sequence[Source], framing: Framing) -> None:
    pictures: Counter[tuple[int, int]] = Counter()
    for source in sources:
        pictures.update(_pairs(source.dataset))
    outputs = {picture: framing.output(*picture) for picture in pictures}
    if len(set(outputs.values())) > 1:
        there = ", ".join(f"{count} of {width}x{height}" for (height, width), count in pictures.most_common())
        smallest = tuple(min(picture[axis] for picture in pictures) for axis in (0, 1))
        raise SpecError(
            f"clips differ in size ({there}), so windows cannot be stacked: give Framing(size=…) or (crop=…) of at "
            f"most {smallest} (height, width), or select one size by a query with ranges of height and width"
        )


def _check_rates(sources: Sequence[Source]) -> None:
    rates: Counter[float | None] = Counter()
    for source in sources:
        rates.update(cast("list[float | None]", source.dataset.table["fps"].to_pylist()))
    if len(rates) > 1:
        there = ", ".join(f"{count} at {rate} fps" for rate, count in rates.most_common())
        raise SpecError(
            f"clips differ in frame rate ({there}): a displacement per frame means another speed in each. Select one "
            "by a query with a range of fps, or allow it by mixed_fps=True"
        )


def _pairs(dataset: Dataset) -> list[tuple[int, int]]:
    return list(zip(*(dataset.table[name].to_pylist() for name in ("height", "width")), strict=True))


def _listed(clips: Sequence[str]) -> str:
    return ", ".join(clips[:_SHOWN]) + (", …" if len(clips) > _SHOWN else "")

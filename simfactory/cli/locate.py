"""What a path on the command line means: a dataset with all its clips, or one clip."""

from pathlib import Path
from typing import TYPE_CHECKING

from simfactory.errors import StoreError

if TYPE_CHECKING:
    from simfactory.dataset import Clip

__all__ = ["locate"]


def locate(path: Path, *, split: str | None = None) -> tuple[Path, list["Clip"]]:
    """Return the dataset's folder and the clips that a path stands for, all or those of one split, losers as well.

    Raises:
        StoreError: It is neither a dataset nor a committed clip, or the dataset is empty.
    """
    from simfactory.dataset import open_clip, open_dataset
    from simfactory.store.location import Url, location_of

    if path.suffix == ".zarr":
        here = path if isinstance(location_of(path), Url) else path.absolute()
        return here.parents[2], [open_clip(path)]
    clips = list(open_dataset(path, split=split, violation=None))
    if not clips and split is not None and len(open_dataset(path, violation=None)):
        raise StoreError(f"{path} holds no clip of split {split!r}: leave `--split` out to see all")
    if not clips:
        raise StoreError(f"{path} holds no committed clip yet: run `simfactory generate --out {path}`")
    return path, clips

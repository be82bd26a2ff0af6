"""A trained model on disk: a backbone, its heads, and the clips that it was trained on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, final

import torch

from simfactory.errors import SpecError
from training.model.backbone import Backbone
from training.model.heads import GeometryHeads, HeadsConfig
from training.model.registry import load_backbone

__all__ = ["ClipFormat", "TrainedModel"]

MODEL_FILE = "model.json"
HEADS_FILE = "heads.safetensors"


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ClipFormat:
    """The clips that a model was trained on.

    Attributes:
        frame_count: Frames.
        height: Rows [px].
        width: Columns [px].
        fps: Frames per second [1/s].
    """

    frame_count: int
    height: int
    width: int
    fps: float


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedModel:
    """What training makes, and what sampling, evaluation and further training begin with.

    Attributes:
        backbone: The video model.
        heads: Heads on its features; None = it has none.
        clip: Clips that it was trained on; None = unknown, as of a pipeline that comes from elsewhere.
    """

    backbone: Backbone
    heads: GeometryHeads | None = None
    clip: ClipFormat | None = None

    def save(self, folder: str | Path) -> None:
        """Write `model.json`, the heads, and what `Backbone.save` writes."""
        self.backbone.save(folder)
        self._write_rest(Path(folder))

    def export(self, folder: str | Path) -> None:
        """Write the model with its adapter merged into its weights; heads as they are.

        A backbone of diffusers writes a folder for its pipeline, which needs nothing of this package.

        Raises:
            SpecError: The folder holds something already.
        """
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SpecError(f"{folder} is not empty: give a new folder, which an exported model has for itself")
        self.backbone.export(folder)
        self._write_rest(folder)

    def _write_rest(self, folder: Path) -> None:
        from safetensors.torch import save_file

        if self.heads is not None:
            state = {name: value.detach().cpu().contiguous() for name, value in self.heads.state_dict().items()}
            save_file(state, folder / HEADS_FILE)
        told = {
            "heads": asdict(self.heads.config) if self.heads else None,
            "clip": asdict(self.clip) if self.clip else None,
        }
        (folder / MODEL_FILE).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, model: str | Path, *, dtype: torch.dtype = torch.float32) -> Self:
        """Return a model: what `save` wrote, with the same weights bit for bit, or whatever `load_backbone` takes.

        Raises:
            SpecError: There is none, or its heads do not fit.
        """
        from safetensors.torch import load_file

        backbone, path = load_backbone(model, dtype=dtype), Path(model) / MODEL_FILE
        if not path.is_file():
            return cls(backbone=backbone)
        told = json.loads(path.read_text(encoding="utf-8"))
        heads = None
        if told["heads"] is not None:
            heads = GeometryHeads(backbone.shape, HeadsConfig(**told["heads"]))
            try:
                heads.load_state_dict(load_file(Path(model) / HEADS_FILE))
            except (OSError, RuntimeError) as error:
                raise SpecError(f"{model}: its heads cannot be read ({error}); train them again by pretrain") from error
        return cls(backbone=backbone, heads=heads, clip=ClipFormat(**told["clip"]) if told["clip"] else None)

"""Which backbones there are, and how a name, a folder or a repository becomes one."""

import importlib
import json
import pkgutil
from pathlib import Path
from typing import cast

import torch

from simfactory.errors import SpecError
from training.model import backbones
from training.model.backbone import CONFIG_FILE, Backbone

__all__ = ["backbone_class", "backbone_kinds", "load_backbone"]

INDEX_FILE = "model_index.json"


def backbone_kinds() -> tuple[str, ...]:
    """Return the names of all backbones: the files in `training/model/backbones/`."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(backbones.__path__)))


def backbone_class(kind: str) -> type[Backbone]:
    """Return a kind's class: the `BACKBONE` of its file.

    Raises:
        SpecError: There is no such kind.
    """
    if kind not in backbone_kinds():
        raise SpecError(f"unknown backbone {kind!r}; choose one of {', '.join(backbone_kinds())}")
    module = importlib.import_module(f"{backbones.__name__}.{kind}")
    return cast(type[Backbone], module.BACKBONE)


def load_backbone(model: str | Path, *, dtype: torch.dtype = torch.float32) -> Backbone:
    """Return the model that `--model` names.

    Args:
        model: A folder that `Backbone.save` wrote; a folder of a diffusers pipeline; or the name of a repository of
            one, `owner/name`, which is fetched, or read from the local cache where there is no network.
        dtype: Of the weights.

    Raises:
        SpecError: It is none of these, or its pipeline is of a class that no backbone reads.
    """
    folder = Path(model)
    if (folder / CONFIG_FILE).is_file():
        kind = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))["kind"]
        return backbone_class(kind).load(folder, dtype=dtype)
    pipeline = _pipeline_class(model)
    readers = {name: backbone_class(kind) for kind in backbone_kinds() for name in backbone_class(kind).pipelines}
    if pipeline not in readers:
        raise SpecError(f"{model} holds a {pipeline}; there are backbones for {', '.join(sorted(readers))}")
    return readers[pipeline].from_pipeline(model, dtype=dtype)


def _pipeline_class(model: str | Path) -> str:
    index = Path(model) / INDEX_FILE
    if not index.is_file():
        index = _fetched_index(str(model))
    return str(json.loads(index.read_text(encoding="utf-8"))["_class_name"])


def _fetched_index(model: str) -> Path:
    """Return the path of a repository's index, fetched or from the cache."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if Path(model).exists() or model.count("/") != 1:
        raise SpecError(
            f"{model} is no folder with a {CONFIG_FILE} or a {INDEX_FILE}, and no repository's name owner/name"
        )
    try:
        return Path(hf_hub_download(model, INDEX_FILE))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise SpecError(
            f"the model {model!r} cannot be fetched ({error}): give the path of a folder instead"
        ) from error

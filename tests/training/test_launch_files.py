"""The shipped configurations of accelerate are ones that it reads, and name modules that it finds."""

import pytest
from accelerate.commands.config.config_args import load_config_from_file

from training.config_files import read_config
from training.model import TINY_SIZES, GeometryHeads, TinyBackbone, TrainedModel
from training.objectives import Objective


@pytest.mark.parametrize(("name", "kind", "count"), [("one_gpu", "NO", 1), ("fsdp_8_gpus", "FSDP", 8)])
def test_accelerate_reads_them(repository_root, name, kind, count):
    found = load_config_from_file(str(repository_root / "training" / "accelerate" / f"{name}.yaml"))
    assert (found.distributed_type, found.num_processes, found.mixed_precision) == (kind, count, "no")
    assert not found.use_cpu


def test_each_block_is_sharded_by_itself():
    backbone = TinyBackbone(TINY_SIZES["micro"])
    model = TrainedModel(backbone=backbone, heads=GeometryHeads(backbone.shape))
    objective = Objective(model, read_config("sft", preset="tiny"))
    named = [module for module in objective.modules() if type(module).__name__ in objective._no_split_modules]
    assert named == list(backbone.blocks)

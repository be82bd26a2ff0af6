"""Configurations: presets, files and changes become typed values, or a message that helps."""

import json

import pytest

from simfactory.errors import SpecError
from training.config_files import changed, config_from_json, config_names, config_to_json, preset_names, read_config

STAGES = ("base", "pretrain", "sft")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("preset", preset_names())
def test_presets_survive_json(preset, stage):
    config = read_config(stage, preset=preset)
    assert config.stage == stage
    assert config_from_json(json.loads(json.dumps(config_to_json(config)))) == config


def test_what_comes_later_wins(tmp_path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"losses": {"warp": 0.5, "depth": 0.7}, "seed": 3}))
    config = read_config("sft", preset="tiny", file=file, changes=[{"losses.warp": "0"}])
    assert (config.losses.warp, config.losses.depth, config.seed) == (0.0, 0.7, 3)
    assert config.optimizer.batch == read_config("sft", preset="tiny").optimizer.batch  # the file leaves it


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("optimizer.steps", "12", 12),
        ("optimizer.rate", "2e-4", 2e-4),
        ("data.mixed_fps", "true", True),
        ("data.size", "[48, 64]", (48, 64)),
        ("data.size", "null", None),
        ("data.cache", "12", "12"),
        ("model.start", "7", "7"),
        ("model.lora_targets", '["to_q", "to_v"]', ("to_q", "to_v")),
        ("losses.warp_mode", "paper", "paper"),
        ("losses.alignment_block", "3", 3),
        ("heads.reduction", "4", 4),
    ],
)
def test_texts_become_typed_values(name, text, value):
    found = read_config("sft", preset="tiny", changes=[{name: text}])
    for part in name.split("."):
        found = getattr(found, part)
    assert found == value


def test_queries_are_nested_in_sources():
    sources = '[{"path": "d", "weight": 2, "query": {"tier": ["single"], "ranges": {"gravity": [1, 9]}}}]'
    (source,) = read_config("sft", changes=[{"data.sources": sources}]).data.sources
    assert (source.weight, list(source.query.tier), dict(source.query.ranges)) == (2.0, ["single"], {"gravity": (1, 9)})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("losses.wrap", "0", "nearest are losses.warp"),
        ("loses.warp", "0", "no loses to set"),
        ("warp", "0", "no warp to set"),
        ("optimizer.steps", "many", "optimizer.steps"),
        ("optimizer.steps", "0", "1 or more steps"),
        ("losses.warp_mode", "naive", "'corrected' or 'paper'"),
        ("losses.depth", "0", "give depth and flow weights"),
        ("losses.depth", "-1", "0 or more"),
        ("data.sources", '[{"folder": "d"}]', "no data.sources.folder"),
        ("noise.lowest", "1", "0 <= lowest < 1"),
        ("noise.first_frame", "2", "0 … 1"),
        ("model.lora_rank", "-1", "1 or more"),
        ("model.weights", "bfloat16", "lora_rank=0"),
        ("data.cache", "there", ""),
    ],
)
def test_what_is_wrong_is_named(name, value, told):
    changes = {name: value} | ({"data.starts": "random"} if name == "data.cache" else {})
    with pytest.raises(SpecError, match="data.cache" if name == "data.cache" else told):
        read_config("sft", preset="tiny", changes=[changes])


@pytest.mark.parametrize(
    ("stage", "changes", "told"),
    [
        ("base", {"losses.depth": 1}, "base trains no heads"),
        ("pretrain", {"losses.flow_matching": 1}, "frozen network"),
        (
            "pretrain",
            dict.fromkeys(("losses.depth", "losses.flow", "losses.depth_change", "losses.visibility"), 0),
            "0",
        ),
    ],
)
def test_stages_refuse_losses_they_do_not_have(stage, changes, told):
    with pytest.raises(SpecError, match=told):
        read_config(stage, preset="tiny", changes=[changes])


def test_unknown_presets_and_files_are_refused(tmp_path):
    with pytest.raises(SpecError, match=r"choose one of 5b, tiny"):
        read_config("sft", preset="huge")
    with pytest.raises(SpecError, match="give a JSON file"):
        read_config("sft", file=tmp_path / "absent.json")


def test_a_configuration_is_changed_by_name():
    config = changed(read_config("sft", preset="tiny"), [{"optimizer.steps": "7"}])
    assert config.optimizer.steps == 7
    assert config.losses == read_config("sft", preset="tiny").losses


def test_names_are_all_settable():
    assert len(config_names()) == len(set(config_names())) > 50
    assert "losses.flow_matching" in config_names()

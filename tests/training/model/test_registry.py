"""Names, folders and repositories become backbones."""

import json

import pytest

from simfactory.errors import SpecError
from training.model import Backbone, backbone_class, backbone_kinds, load_backbone


def test_every_file_is_a_backbone_that_says_its_name(repository_root):
    files = {path.stem for path in (repository_root / "training/model/backbones").glob("*.py")} - {"__init__"}
    assert set(backbone_kinds()) == files
    for kind in backbone_kinds():
        assert issubclass(backbone_class(kind), Backbone)
        assert backbone_class(kind).kind == kind


def test_no_two_backbones_read_the_same_pipeline():
    names = [name for kind in backbone_kinds() for name in backbone_class(kind).pipelines]
    assert len(names) == len(set(names))


def test_an_unknown_kind_is_refused():
    with pytest.raises(SpecError, match="'sora'; choose one of cogvideox, cosmos, tiny, wan"):
        backbone_class("sora")


@pytest.mark.parametrize("name", ["no_such_folder", "a/b/c", ""])
def test_what_is_neither_folder_nor_repository_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match="model_index"):
        load_backbone(name)


def test_a_folder_of_another_kind_is_refused(tmp_path):
    (tmp_path / "backbone.json").write_text(json.dumps({"kind": "tiny", "config": {}, "adapter": None}))
    with pytest.raises(SpecError, match="kind 'tiny', not 'wan'"):
        backbone_class("wan").load(tmp_path)
    with pytest.raises(SpecError, match=r"holds no backbone\.json"):
        backbone_class("tiny").load(tmp_path / "nowhere")
    with pytest.raises(SpecError, match="reads no folders"):
        backbone_class("tiny").from_pipeline(tmp_path)

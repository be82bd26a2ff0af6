"""Every kind of damage is found and named."""

import json

import pytest

from simfactory.dataset import open_dataset
from simfactory.errors import ClipNotFound, CorruptClip
from simfactory.store import create_dataset, validate
from simfactory.testing.store import example_id, write_example


@pytest.fixture
def clip(tmp_path):
    folder = create_dataset(tmp_path / "dataset")
    for number in range(2):
        write_example(folder, number)
    return open_dataset(folder)[0]


def findings(clip):
    found = validate(clip.path.parents[2])
    assert {finding.clip_id for finding in found} <= {clip.id}
    return {(finding.path, finding.problem) for finding in found}


def rewrite(path, change):
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def test_missing_file_is_named_and_not_read_as_fill(clip):
    (clip.path / "depth/c.0.0.0").unlink()
    assert ("depth/c.0.0.0", "is missing") in findings(clip)
    with pytest.raises(CorruptClip, match="missing"):
        clip.read("depth")


def test_extra_file_is_named(clip):
    (clip.path / "notes.txt").write_text("mine")
    assert findings(clip) == {("notes.txt", "is not in the commit record")}


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
def test_truncated_file_is_named(clip, engine):
    file = clip.path / "rgb/c.0.0.0.0"
    file.write_bytes(file.read_bytes()[:-9])
    (problem,) = findings(clip)
    assert problem[0] == "rgb/c.0.0.0.0"
    assert "bytes, the commit record says" in problem[1]
    with pytest.raises(CorruptClip):
        open_dataset(clip.path.parents[2], engine=engine)[0].read("rgb")


def test_changed_metadata_is_named(clip):
    rewrite(clip.path / "rgb/zarr.json", lambda document: document["attributes"].update(unit="K"))
    problems = dict(findings(clip))
    assert problems.keys() == {"rgb/zarr.json", "rgb"}
    assert "consolidated metadata differ" in problems["rgb"]


def test_promises_of_the_schema_are_checked_apart_from_the_bytes(clip):
    def change(document):
        members = document["consolidated_metadata"]["metadata"]
        members["depth"]["shape"][0] = 7
        members["mask"]["attributes"].pop("unit")
        members["instance"]["dimension_names"].pop()

    rewrite(clip.path / "zarr.json", change)
    problems = {where: what for where, what in findings(clip) if not what.startswith("its own metadata")}
    assert problems["depth"] == "has 7 frames, the clip has 11"
    assert "does not follow simfactory.clip/1" in problems["mask"]
    assert problems["instance"] == "has 3 axes but names 2"


@pytest.mark.parametrize("content", [b"", b"{}", b'{"attributes": {}}'])
def test_ruined_root_is_a_corrupt_clip(clip, content):
    (clip.path / "zarr.json").write_bytes(content)
    assert any("missing or damaged" in what for _, what in findings(clip))
    with pytest.raises(CorruptClip, match="verify"):
        open_dataset(clip.path.parents[2])[0].read("rgb")


def test_lost_folder_is_named(clip):
    clip.path.rename(clip.path.with_suffix(".moved"))
    assert ("", f"the folder {clip.path.name} is missing") in findings(clip)


def test_one_clip_can_be_checked_alone(clip):
    (clip.path / "notes.txt").write_text("mine")
    assert validate(clip.path.parents[2], clip_ids=[example_id(1)]) == []
    with pytest.raises(ClipNotFound):
        validate(clip.path.parents[2], clip_ids=["0" * 32])

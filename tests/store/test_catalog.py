"""The catalogue lists exactly the committed clips, whatever happened to its parts."""

import pytest

from simfactory import catalog
from simfactory.dataset import open_dataset
from simfactory.errors import StoreError
from simfactory.store import committed_ids
from simfactory.testing.store import example_id, write_example


def parts(folder):
    return sorted(folder.path.glob("catalog/*.parquet"))


def ids(table):
    return table["clip_id"].to_pylist()


def test_clips_that_no_part_lists_are_found_by_their_records(folder):
    for number in (2, 0, 1):
        write_example(folder, number)
    assert parts(folder) == []
    assert ids(catalog.read_table(folder)) == [example_id(number) for number in range(3)]


def test_update_writes_one_part_of_what_is_new(folder):
    for number in range(3):
        write_example(folder, number)
    assert catalog.update(folder) == 3
    assert catalog.update(folder) == 0
    write_example(folder, 3)
    assert ids(catalog.read_table(folder)) == [example_id(number) for number in range(4)]
    assert catalog.update(folder) == 1
    assert len(parts(folder)) == 2
    assert ids(catalog.read_table(folder)) == [example_id(number) for number in range(4)]


def test_parts_written_twice_list_a_clip_once(folder):
    write_example(folder, 0)
    catalog.update(folder)
    parts(folder)[0].with_name("part-copy.parquet").write_bytes(parts(folder)[0].read_bytes())
    assert len(open_dataset(folder)) == 1


def test_catalogue_is_never_ahead_of_the_commits(folder):
    for number in range(2):
        write_example(folder, number)
    catalog.update(folder)
    folder.volume.remove(f"commits/{example_id(0)[:3]}/{example_id(0)}.json")
    assert ids(catalog.read_table(folder)) == [example_id(1)]


def test_a_row_of_before_there_were_violations_is_intact(folder, monkeypatch):
    write_example(folder, 0)
    older = {name: kind for name, kind in catalog.COLUMNS.items() if name not in ("violation", "pair")}
    monkeypatch.setattr(catalog, "COLUMNS", older)
    catalog.update(folder)
    monkeypatch.undo()
    (row,) = open_dataset(folder).rows()
    assert (row["violation"], row["pair"]) == ("", "")
    assert len(open_dataset(folder, violation="gravity")) == 0
    assert len(open_dataset(folder, violation=None)) == 1


def test_rebuild_restores_a_lost_or_damaged_catalogue(folder):
    for number in range(3):
        write_example(folder, number)
    catalog.update(folder)
    before = catalog.read_table(folder)
    parts(folder)[0].write_bytes(b"damaged")
    with pytest.raises(StoreError, match="rebuild"):
        catalog.read_table(folder)
    assert catalog.rebuild(folder) == 3
    assert len(parts(folder)) == 1
    assert catalog.read_table(folder) == before


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"category": "cloth"}, [1, 3, 5]),
        ({"category": "cloth", "index": [1, 2, 5]}, [1, 5]),
        ({"tier": "single", "scene": "example", "backend": "mock", "seed": 7, "split": "train"}, [0, 1, 2, 3, 4, 5]),
        ({"backend": "newton"}, []),
        ({"preset": None}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_queries_select_by_column(written, wanted, numbers):
    assert ids(catalog.query(written, **wanted)) == [example_id(number) for number in numbers]


@pytest.mark.parametrize("wanted", [{"colour": "red"}, {"modalities": "rgb"}, {"seed": "seven"}])
def test_impossible_queries_name_the_column(written, wanted):
    with pytest.raises(StoreError, match=next(iter(wanted))):
        catalog.query(written, **wanted)


def test_rows_are_filled_in_by_the_store(written):
    row = open_dataset(written).rows()[4]
    assert (row["frame_count"], row["height"], row["width"], row["fps"]) == (11, 12, 20, 24.0)
    assert row["profile"] == "portable"
    assert {"rgb", "points", "tracks"} <= set(row["modalities"])
    assert row["bytes"] > 0


def test_ids_come_from_records_not_from_folders(written):
    assert committed_ids(written) == {example_id(number) for number in range(6)}

"""Reading a dataset: clips, windows, and what is said about those that are not there."""

import pickle
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest

from simfactory import dataset as dataset_module
from simfactory.dataset import open_clip, open_dataset
from simfactory.errors import ClipNotFound, StoreError
from simfactory.spec import Split
from simfactory.store import open_arrays
from simfactory.testing.store import example_id, expected_example


@pytest.fixture
def dataset(written):
    return open_dataset(written)


@pytest.fixture
def clip(dataset):
    return dataset[3]


def test_clips_come_in_order_by_position_and_by_id(dataset):
    assert [clip.id for clip in dataset] == dataset.ids == [example_id(number) for number in range(6)]
    assert dataset[-1] is dataset[5]
    assert dataset[example_id(2)].id == dataset[2].id
    assert example_id(2) in dataset
    assert dataset[2] in dataset


def test_views_contain_only_what_was_selected(dataset):
    view = dataset.where(category="rigid")
    assert [clip.id for clip in view] == [example_id(number) for number in (0, 2, 4)]
    assert len(view.where(index=2)) == 1
    with pytest.raises(ClipNotFound):
        view[example_id(1)]


@pytest.mark.parametrize("position", [6, -7])
def test_position_outside_names_the_length(dataset, position):
    with pytest.raises(IndexError, match="6 clips"):
        dataset[position]


def test_clip_says_what_it_is(clip):
    assert (clip.frame_count, clip.fps, clip.height, clip.width) == (11, 24.0, 12, 20)
    assert (clip.caption, clip.spec, clip.quality) == ("Example 3.", {"seed": 3}, {"ok": True})
    assert {"rgb", "depth", "tracks", "points", "bodies", "camera", "time"} <= set(clip.modalities)
    assert clip.signals["flow_forward"].unit == "px"
    assert sum(clip.stored_bytes().values()) == clip.record["row"]["bytes"]


def test_modalities_name_groups_or_single_arrays(clip):
    assert set(clip.window(0, 2, modalities=["tracks"])) == {"tracks/position", "tracks/visible"}
    assert set(clip.window(0, 2, modalities=["tracks/visible", "rgb"])) == {"tracks/visible", "rgb"}
    assert set(clip.window(0, 2, modalities=["points/position"])) == {"points/position", "points/offsets"}


@pytest.mark.parametrize(("start", "length"), [(0, 1), (2, 5), (0, 11), (10, 1)])
def test_ragged_rows_belong_to_the_windows_frames(clip, start, length):
    whole = expected_example(3)
    window = clip.window(start, length, modalities=["points"])
    offsets = window["points/offsets"]
    assert offsets[0] == 0
    assert len(offsets) == length + 1
    for k in range(length):
        rows = slice(whole["points/offsets"][start + k], whole["points/offsets"][start + k + 1])
        np.testing.assert_array_equal(
            window["points/position"][offsets[k] : offsets[k + 1]], whole["points/position"][rows]
        )


def test_stored_elements_can_be_decoded_elsewhere(clip):
    stored = clip.window(2, 4, modalities=["flow_forward", "depth"], physical=False)
    assert (stored["flow_forward"].dtype, stored["depth"].dtype) == (np.int16, np.float16)
    window = clip.window(2, 4, modalities=["flow_forward", "depth"])
    for name, values in window.items():
        out = np.empty(values.shape, np.float32)
        clip.encodings[name].decode(stored[name], out)
        np.testing.assert_array_equal(out, values)


@pytest.mark.parametrize(("start", "length"), [(-1, 2), (0, 0), (0, 12), (11, 1)])
def test_window_outside_names_the_range(clip, start, length):
    with pytest.raises(IndexError, match="it has frames 0 to 11"):
        clip.window(start, length)


def test_unknown_modality_lists_those_present(clip):
    with pytest.raises(StoreError, match="no 'thermal'; present: bodies, camera, depth"):
        clip.window(0, 1, modalities=["thermal"])
    with pytest.raises(StoreError, match="no array 'tracks'; present"):
        clip.read("tracks")
    with pytest.raises(StoreError, match="no 'thermal'"):
        clip.array("thermal")


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
def test_lazy_arrays_are_the_librarys_own(written, engine):
    array = open_dataset(written, engine=engine)[3].array("rgb")
    assert array.shape == (11, 12, 20, 3)
    assert type(array).__module__.startswith(engine)


def test_unknown_engine_is_refused(clip):
    with pytest.raises(StoreError, match="choose auto, tensorstore, zarr"):
        open_arrays(clip.path, engine="n5")


def test_zarr_stands_in_where_tensorstore_is_missing(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorstore", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    window = open_dataset(written)[3].window(0, 11)
    monkeypatch.undo()
    for name, values in open_dataset(written, engine="tensorstore")[3].window(0, 11).items():
        np.testing.assert_array_equal(values, window[name], err_msg=name)


def test_clip_opens_by_its_folder(clip, tmp_path):
    assert open_clip(clip.path).id == clip.id
    with pytest.raises(ClipNotFound, match="never committed"):
        open_clip(clip.path.with_name(f"{clip.id}.another.zarr"))
    with pytest.raises(StoreError, match="no dataset here"):
        open_clip(tmp_path)


def test_dataset_survives_pickling(dataset):
    dataset[example_id(1)].window(0, 1)
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy.ids == dataset.ids
    np.testing.assert_array_equal(copy[1].read("rgb"), dataset[1].read("rgb"))


def test_a_place_without_a_dataset_says_how_to_make_one(tmp_path):
    with pytest.raises(StoreError, match="no dataset here"):
        open_dataset(tmp_path)


def test_empty_dataset_has_no_clips(folder):
    dataset = open_dataset(folder)
    assert len(dataset) == 0
    assert list(dataset) == dataset.ids == []


def test_every_split_of_a_spec_can_be_asked_for():
    assert get_args(Split) == dataset_module._SPLITS


def test_importing_the_dataset_imports_nothing_heavy():
    heavy = "{'torch', 'warp', 'zarr', 'tensorstore', 'pyarrow', 'cv2', 'pydantic'}"
    code = f"import sys, simfactory.dataset; print(sorted({heavy} & sys.modules.keys()))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

"""What a writer refuses, in words that name the signal, what was given and what is wanted."""

import numpy as np
import pytest

from simfactory.errors import StoreError
from simfactory.signals import Signal
from simfactory.store import ClipWriter, Stored, committed_ids, create_dataset, open_arrays
from simfactory.store.precision import Quantiser
from simfactory.testing.store import EXAMPLE_SIGNALS, example_arrays, example_frame, example_id


def writer_of(folder, *, signals=EXAMPLE_SIGNALS, frame_count=2, clip=None):
    return ClipWriter(
        folder,
        example_id(0) if clip is None else clip,
        signals=signals,
        frame_count=frame_count,
        height=12,
        width=20,
        attributes={},
    )


def signal(name, dims=("time",), **rest):
    return Signal(name=name, dims=dims, dtype="float32", unit="1", description="d", **rest)


def without(values, name):
    return {key: value for key, value in values.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: {**f, "ghost": f["mask"]}, "unknown signals .*ghost"),
        (lambda f: {**f, "bodies/mass": np.zeros(3)}, "bodies/mass.* have no frames"),
        (lambda f: without(f, "points/position"), "missing .*points/position"),
        (lambda f: {**f, "rgb": f["rgb"].astype(np.float32)}, r"rgb: given .* float32, wanted .* uint8"),
        (lambda f: {**f, "instance": f["instance"].astype(np.int64)}, "instance: given .* int64"),
        (lambda f: {**f, "depth": np.full((12, 20), np.nan)}, "depth: given NaN, but the only missing value is inf"),
        (lambda f: {**f, "points/instance": np.zeros(9, np.uint16)}, "points: .* equally many rows"),
        (lambda f: {**f, "points/position": np.zeros((1, 3), np.float32)}, r"points/position: .*point=any, xyzt=4"),
    ],
)
def test_bad_frame_is_refused_and_ends_the_attempt(folder, change, message):
    with writer_of(folder) as writer:
        with pytest.raises(StoreError, match=message):
            writer.append(change(example_frame(0, 0)))
        with pytest.raises(StoreError, match="closed"):
            writer.append(example_frame(0, 0))
    assert list(folder.volume.names("staging")) == []


@pytest.mark.parametrize(
    ("arrays", "attributes", "row", "message"),
    [
        (lambda a: without(a, "time"), {}, {}, "missing arrays .*time"),
        (lambda a: {**a, "rgb": a["time"]}, {}, {}, "unexpected .*rgb"),
        (lambda a: {**a, "tracks/visible": np.zeros((5, 2), bool)}, {}, {}, "tracks/visible: .*point=6"),
        (lambda a: a, {"spec": {"mass": float("nan")}}, {}, "not plain JSON"),
        (lambda a: a, {"spec": np.zeros(2)}, {}, "not plain JSON"),
        (lambda a: a, {}, {"seed": "7"}, "seed is '7'; give a int"),
    ],
)
def test_bad_commit_is_refused_and_leaves_nothing(folder, arrays, attributes, row, message):
    with writer_of(folder) as writer:
        for frame in range(2):
            writer.append(example_frame(0, frame))
        with pytest.raises(StoreError, match=message):
            writer.commit(arrays=arrays(example_arrays(0, frame_count=2)), attributes=attributes, row=row)
    assert committed_ids(folder) == set()
    assert {path.name for path in folder.path.rglob("*") if not path.is_dir()} == {"dataset.json"}


def test_commit_before_the_last_frame_is_refused(folder):
    with writer_of(folder) as writer:
        writer.append(example_frame(0, 0))
        with pytest.raises(StoreError, match="after 1 of 2 frames"):
            writer.commit(arrays=example_arrays(0, frame_count=2), attributes={}, row={})


def test_frame_after_the_last_is_refused(folder):
    with writer_of(folder, frame_count=1) as writer:
        writer.append(example_frame(0, 0))
        with pytest.raises(StoreError, match="frame 2 of a clip of 1"):
            writer.append(example_frame(0, 1))


def test_mask_must_come_with_its_flow(folder):
    signals = [s for s in EXAMPLE_SIGNALS if s.name in ("mask", "flow_forward")]
    with writer_of(folder, signals=signals, frame_count=1) as writer:
        writer.append({"flow_forward": example_frame(0, 0)["flow_forward"]})
        with pytest.raises(StoreError, match="must come the same way"):
            writer.commit(arrays={"mask": np.zeros((1, 12, 20), np.uint8)}, attributes={}, row={})


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        ([signal("a"), signal("a")], "'a' is given twice"),
        ([signal("a"), signal("a/b")], "'a' is given twice, or is also a group"),
        ([signal("../a")], "letters, digits"),
        ([signal("a", dims=())], "at least one axis"),
        ([signal("a", dims=("point",), ragged=True)], "needs a group"),
        ([signal("p/a", dims=("point",), ragged=True), signal("p/offsets")], "the store itself writes"),
    ],
)
def test_malformed_signals_are_refused_before_anything_is_written(folder, signals, message):
    with pytest.raises(StoreError, match=message):
        writer_of(folder, signals=signals)
    assert list(folder.volume.names("staging")) == []


@pytest.mark.parametrize("clip", ["", "../../escape", "A" * 32, "0" * 31])
def test_ids_that_are_no_ids_are_refused(folder, clip):
    with pytest.raises(StoreError, match="32 hex"):
        writer_of(folder, clip=clip)


def test_writer_needs_a_dataset(tmp_path):
    with pytest.raises(StoreError, match="no dataset here"):
        writer_of(tmp_path)


def test_another_profile_is_refused(folder):
    with pytest.raises(StoreError, match="profile 'portable', not 'archive'"):
        create_dataset(folder.path, profile="archive")
    assert create_dataset(folder.path, profile="portable") == folder


def test_no_folder_can_be_made_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        create_dataset(tmp_path / "file" / "dataset")


def test_memory_stays_the_same_however_long_the_clip(folder):
    import tracemalloc

    def peak(frame_count):
        frames = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
        signals = [signal for signal in EXAMPLE_SIGNALS if signal.name == "rgb"]
        tracemalloc.start()
        with ClipWriter(
            folder,
            example_id(frame_count),
            signals=signals,
            frame_count=frame_count,
            height=64,
            width=64,
            attributes={},
        ) as writer:
            for k in range(frame_count):
                writer.append({"rgb": frames[k % 8]})
            writer.commit(arrays={}, attributes={}, row={})
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(8)
    assert peak(400) < peak(40) + 100_000  # 360 frames more are 4.4 MB raw


def test_what_is_quantised_already_is_stored_as_it_is(folder):
    coder = Quantiser(next(each for each in EXAMPLE_SIGNALS if each.name == "normal"), profile="portable")
    frame = example_frame(0, 0)
    elements = np.empty((12, 20, 3), np.int8)
    coder.encode(frame["normal"], elements)
    for number, given in enumerate((frame["normal"], Stored(elements=elements, saturated=3))):
        with writer_of(folder, clip=example_id(number), frame_count=1) as writer:
            assert writer.steps["normal"] == coder.encoding.scale
            writer.append({**frame, "normal": given})
            writer.commit(arrays=example_arrays(1, frame_count=1), attributes={}, row={})
    first, second = (open_arrays(clip) for clip in sorted(folder.path.glob("clips/*/*")))
    np.testing.assert_array_equal(*(arrays.read({"normal": slice(0, 1)})["normal"] for arrays in (first, second)))


@pytest.mark.parametrize(
    ("name", "elements", "message"),
    [
        ("depth", np.zeros((12, 20), np.float16), "depth: its step is known only at the end, or it has none"),
        ("normal", np.zeros((12, 20, 3), np.int16), "normal: given .* int16, wanted .* int8"),
        ("normal", np.zeros((12, 20), np.int8), r"normal: given shape \(12, 20\)"),
    ],
)
def test_stored_elements_of_another_form_are_refused(folder, name, elements, message):
    with writer_of(folder) as writer, pytest.raises(StoreError, match=message):
        writer.append({**example_frame(0, 0), name: Stored(elements=elements)})

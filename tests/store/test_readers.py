"""A clip opens in plain zarr-python, tensorstore and xarray, without help from this project, and says the same."""

import json

import numpy as np
import pytest
import tensorstore
import zarr

from simfactory.dataset import open_dataset
from simfactory.signals import Precision, Signal
from simfactory.store import ClipWriter, clip_id, open_arrays, validate
from simfactory.store import layout as layout_module
from simfactory.testing.store import EXAMPLE_SIGNALS, expected_example


@pytest.fixture
def clip(written):
    return open_dataset(written)[3]


def test_plain_zarr_reads_every_array_as_stored(clip):
    group = zarr.open_group(clip.path, mode="r")
    assert group.attrs["caption"] == "Example 3."
    for name, encoding in clip.encodings.items():
        array = group[name]
        assert array.metadata.dimension_names == clip.signals[name].dims
        np.testing.assert_array_equal(encoding.decode(array[...]), clip.read(name), err_msg=name)


def test_plain_tensorstore_reads_every_array_as_stored(clip):
    for name, encoding in clip.encodings.items():
        spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{clip.path / name}/"}}
        array = tensorstore.open(spec, read=True).result()
        assert array.domain.labels == clip.signals[name].dims
        np.testing.assert_array_equal(encoding.decode(array.read().result()), clip.read(name), err_msg=name)


@pytest.mark.parametrize("consolidated", [None, True, False])
def test_xarray_decodes_to_the_same_values(clip, consolidated):
    xarray = pytest.importorskip("xarray")
    for group in ("", "points", "tracks", "camera", "bodies"):
        opened = xarray.open_zarr(clip.path, group=group or None, consolidated=consolidated, chunks=None)
        for variable, array in opened.variables.items():
            name = f"{group}/{variable}" if group else variable
            assert array.dims == clip.signals[name].dims
            assert array.attrs["unit"] == clip.signals[name].unit
            # xarray multiplies by the step in float64, the project in float32: one rounding apart.
            found, wanted = (values.astype(np.float64) for values in (array.to_numpy(), clip.read(name)))
            np.testing.assert_allclose(found, wanted, rtol=2**-23, atol=0, err_msg=name)
    assert list(xarray.open_zarr(clip.path, chunks=None).coords) == ["time"]


def test_only_core_codecs_are_written(clip):
    names = set()

    def collect(codecs):
        for codec in codecs:
            names.add(codec["name"])
            collect(codec.get("configuration", {}).get("codecs", []))

    for document in open_arrays(clip.path).documents.values():
        collect(document["codecs"])
    assert names == {"sharding_indexed", "bytes", "blosc", "crc32c"}


def test_every_array_has_its_own_document_too(clip):
    for name, document in open_arrays(clip.path).documents.items():
        assert json.loads((clip.path / name / "zarr.json").read_bytes()) == document


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
@pytest.mark.parametrize("limit", [600, 4000, 7000])
def test_tiles_and_many_shards_read_back(folder, monkeypatch, engine, limit):
    monkeypatch.setattr(layout_module, "CHUNK_BYTES", limit)
    monkeypatch.setattr(layout_module, "SHARD_BYTES", 2 * limit)
    signals = [
        Signal(name="rgb", dims=("time", "y", "x", "channel"), dtype="uint8", unit="1", description="d"),
        Signal(name="tracks/position", dims=("xyz", "point", "time"), dtype="float32", unit="m", description="d"),
    ]
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (21, 13, 17, 3), dtype=np.uint8)
    tracks = rng.normal(size=(3, 50, 21)).astype(np.float32)
    with ClipWriter(folder, clip_id({}), signals=signals, frame_count=21, height=13, width=17, attributes={}) as writer:
        for frame in frames:
            writer.append({"rgb": frame})
        assert writer.commit(arrays={"tracks/position": tracks}, attributes={}, row={})
    clip = open_dataset(folder, engine=engine)[0]
    np.testing.assert_array_equal(clip.read("rgb"), frames)
    np.testing.assert_array_equal(clip.read("tracks/position"), tracks)
    np.testing.assert_array_equal(clip.window(5, 9, modalities=["rgb"])["rgb"], frames[5:14])
    assert validate(folder) == []
    assert len(list(clip.path.glob("rgb/c.*"))) > 1


@pytest.mark.parametrize("engine", ["tensorstore", "zarr"])
def test_empty_axes_read_back_empty(folder, engine):
    signals = [s for s in EXAMPLE_SIGNALS if s.name.startswith(("points/", "tracks/"))]
    with ClipWriter(folder, clip_id({}), signals=signals, frame_count=3, height=8, width=8, attributes={}) as writer:
        for _ in range(3):
            writer.append({"points/position": np.zeros((0, 4), np.float32), "points/instance": np.zeros(0, np.uint16)})
        arrays = {"tracks/position": np.zeros((3, 0, 3), np.float32), "tracks/visible": np.zeros((0, 3), bool)}
        assert writer.commit(arrays=arrays, attributes={}, row={})
    window = open_dataset(folder, engine=engine)[0].window(1, 2)
    assert {name: values.shape for name, values in window.items()} == {
        "points/position": (0, 4),
        "points/instance": (0,),
        "points/offsets": (3,),
        "tracks/position": (3, 0, 2),
        "tracks/visible": (0, 2),
    }
    assert validate(folder) == []


def test_whole_arrays_may_come_at_the_commit(folder):
    signals = [s for s in EXAMPLE_SIGNALS if not s.ragged]
    arrays = {signal.name: expected_example(1)[signal.name] for signal in signals}
    with ClipWriter(folder, clip_id({}), signals=signals, frame_count=11, height=12, width=20, attributes={}) as writer:
        assert writer.commit(arrays=arrays, attributes={}, row={})
    clip = open_dataset(folder)[0]
    np.testing.assert_array_equal(clip.read("rgb"), arrays["rgb"])
    np.testing.assert_allclose(clip.read("flow_forward"), arrays["flow_forward"], atol=1 / 128)


@pytest.mark.parametrize(("side", "peak", "scale"), [(20, 900, 1 / 64), (600, 300, 1 / 64), (600, 900, 1 / 32)])
@pytest.mark.parametrize("appended", [True, False])
def test_large_frames_get_the_step_their_flow_needs(folder, side, peak, scale, appended):
    signals = [
        Signal(
            name="flow_backward",
            dims=("time", "uv", "y", "x"),
            dtype="float32",
            unit="px",
            description="d",
            fill=float("nan"),
            precision=Precision(dtype="int16", scale=1 / 64, scale_max=1 / 8),
        ),
        Signal(name="mask", dims=("time", "y", "x"), dtype="uint8", unit="1", description="d"),
    ]
    flow = np.random.default_rng(0).uniform(-1, 1, (9, 2, 4, side)).astype(np.float32)
    flow[8, 1, 2, 3], flow[0] = peak, np.nan
    mask = np.ones((9, 4, side), np.uint8)
    with ClipWriter(folder, clip_id({}), signals=signals, frame_count=9, height=4, width=side, attributes={}) as writer:
        for k in range(9 if appended else 0):
            writer.append({"flow_backward": flow[k], "mask": mask[k]})
        arrays = {} if appended else {"flow_backward": flow, "mask": mask}
        writer.commit(arrays=arrays, attributes={}, row={})
    clip = open_dataset(folder)[0]
    assert clip.encodings["flow_backward"].scale == scale
    saturated = np.abs(flow) > 32767 * scale
    np.testing.assert_allclose(
        clip.read("flow_backward")[~saturated], flow[~saturated], atol=scale / 2, rtol=0, equal_nan=True
    )
    np.testing.assert_array_equal(clip.read("mask") & 32 > 0, saturated.any(axis=1))
    assert (clip.read("mask") & 1).all()
    assert list(clip.path.parent.parent.parent.glob("staging/*")) == []

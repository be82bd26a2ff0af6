import logging

import pytest
import torch

from simfactory.errors import SpecError, StoreError
from training.data import CachedWindows, Framing, WindowDataset, WindowLoader, Windows, WindowSampler

WINDOWS = Windows(length=5, stride=4, latent_stride=4)


class Halving:
    """A codec that halves pictures in time and space, and counts what it encodes."""

    def __init__(self):
        self.count = 0

    def __call__(self, sample):
        self.count += 1
        return {"latents": sample["rgb"][::4, :, ::2, ::2], "depth": sample["depth"][:, ::2, ::2]}


def cached(source, folder, *, codec=None, digest="halving/1", max_bytes=10**9, **options):
    dataset = WindowDataset([source], windows=WINDOWS, outputs=["rgb", "depth"], **options)
    codec = codec or Halving()
    return CachedWindows(dataset, folder=folder, codec=codec, digest=digest, max_bytes=max_bytes), codec


def batches(source, dataset):
    sampler = WindowSampler([source], windows=WINDOWS, batch_size=3, seed=0)
    return list(WindowLoader(dataset, sampler))


def test_a_window_is_encoded_once_and_read_after_that(source, tmp_path):
    first, codec = cached(source, tmp_path / "cache")
    encoded = batches(source, first)
    assert codec.count == 3 * len(encoded)
    again, unused = cached(source, tmp_path / "cache")
    for one, two in zip(encoded, batches(source, again), strict=True):
        assert (one.clip_ids, one.starts, one.fps, one.captions) == (two.clip_ids, two.starts, two.fps, two.captions)
        assert torch.equal(one["latents"], two["latents"])
        assert torch.equal(one["depth"], two["depth"])
    assert unused.count == 0
    assert two.sources == ("balls",) * 3


@pytest.mark.parametrize("change", [{"digest": "halving/2"}, {"framing": Framing(crop=(24, 32))}])
def test_another_codec_or_crop_is_another_entry(source, tmp_path, change):
    first, _ = cached(source, tmp_path)
    batches(source, first)
    other, codec = cached(source, tmp_path, **change)
    batches(source, other)
    assert codec.count > 0


def test_what_does_not_fit_is_encoded_each_time(source, tmp_path, caplog):
    probe, _ = cached(source, tmp_path / "probe")
    keys = [key for batch in WindowSampler([source], windows=WINDOWS, batch_size=3, seed=0) for key in batch]
    probe[keys[0]]
    size = probe.kept_bytes()
    limit = 5 * size
    full, codec = cached(source, tmp_path / "full", max_bytes=limit)
    with caplog.at_level(logging.WARNING):
        for key in keys:
            full[key]
    assert "further windows are encoded each time" in caplog.text
    # Files differ by the length of captions; a fifth one more or less.
    assert 4 * size <= full.kept_bytes() <= limit * (1 + 1 / 64)
    before = codec.count
    for key in keys:
        full[key]
    assert codec.count - before == len(keys) - len(list((tmp_path / "full").glob("*/*.pt")))
    assert not list((tmp_path / "full").glob("*/*.part"))


def test_a_damaged_file_is_encoded_anew(source, tmp_path, caplog):
    first, _ = cached(source, tmp_path)
    key = next(iter(WindowSampler([source], windows=WINDOWS, batch_size=1, seed=0)))[0]
    whole = first[key]
    path = first.path(key)
    for wrong in (b"", path.read_bytes()[:200], b"PK\x03\x04" + b"\0" * 100):
        path.write_bytes(wrong)
        with caplog.at_level(logging.WARNING):
            again = first[key]
        assert "is encoded anew" in caplog.text
        assert torch.equal(again["latents"], whole["latents"])
        caplog.clear()
    assert torch.equal(first[key]["latents"], whole["latents"])
    assert not caplog.text


def test_filling_encodes_what_is_not_there(source, tmp_path):
    dataset, codec = cached(source, tmp_path)
    keys = [key for batch in WindowSampler([source], windows=WINDOWS, batch_size=2, seed=0) for key in batch]
    dataset[keys[0]]
    assert dataset.fill(keys) == len(keys) - 1
    assert dataset.fill(keys) == 0
    assert codec.count == len(keys)


def test_what_differs_each_time_cannot_be_cached(source, tmp_path):
    with pytest.raises(SpecError, match="dataset without transform"):
        cached(source, tmp_path, transform=lambda sample, generator: sample)
    with pytest.raises(SpecError, match="dataset without transform, with decode=True"):
        cached(source, tmp_path, decode=False)
    with pytest.raises(SpecError, match="give a name of the codec"):
        cached(source, tmp_path, digest="")


def test_a_folder_that_cannot_be_made_is_a_store_error(source, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose a folder that can be written"):
        cached(source, tmp_path / "file" / "cache")

"""Image files of strangers: decoded in a limited process, refused with one clear error, nothing left behind."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from simfactory.assets import limits
from simfactory.errors import AssetError
from simfactory.maps import add_map, load_image


@pytest.fixture(autouse=True)
def asset_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))
    return tmp_path / "assets"


def png(width, height, data):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def noise(ending, shape=(64, 128, 3)):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    image = image.astype(np.float32) if ending == ".hdr" else image
    return cv2.imencode(ending, image)[1].tobytes()


def jpeg_of(width, height):
    """A JPEG image whose header claims another size."""
    raw = bytearray(noise(".jpg"))
    place = raw.index(b"\xff\xc0")
    raw[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(raw)


HOSTILE = {
    "huge.png": (lambda: png(2**31 - 1, 2**31 - 1, b""), "2147483647x2147483647 pixels; at most 8192"),
    "huge.jpg": (lambda: jpeg_of(65_535, 65_535), "65535x65535 pixels; at most 8192"),
    "huge.hdr": (lambda: b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 99999 +X 199998\n", "at most 8192"),
    "empty.png": (lambda: b"", "cannot read"),
    "no_pixels.png": (lambda: png(8000, 8000, b""), "cannot read"),
    "bomb.png": (lambda: png(16, 16, zlib.compress(bytes(200 * 2**20), 9)), None),
    "cut.hdr": (lambda: noise(".hdr")[:200], "cannot read"),
    "false.png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "cannot read"),
    "text.jpg": (lambda: b"<svg/>" * 100, "cannot read"),
    "none.jpg": (lambda: jpeg_of(0, 0), "cannot read"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_images_are_refused_and_leave_nothing(tmp_path, asset_folder, name):
    content, words = HOSTILE[name]
    (tmp_path / name).write_bytes(content())
    if words is None:  # sixteen rows and much that nobody reads
        assert load_image(add_map(tmp_path / name, licence="CC0-1.0"), "texture").shape == (16, 16, 3)
        return
    with pytest.raises(AssetError, match=words) as caught:
        add_map(tmp_path / name, licence="CC0-1.0")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not asset_folder.exists() or not list(asset_folder.iterdir())


@pytest.mark.parametrize("name", ["half.png", "half.jpg"])
def test_half_an_image_is_refused(tmp_path, name):
    content = noise(name[4:])
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(AssetError, match="cannot read"):
        add_map(tmp_path / name, licence="CC0-1.0")


def test_this_process_decodes_no_image_of_a_stranger(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("decoded here")

    (tmp_path / "noise.png").write_bytes(noise(".png"))
    monkeypatch.setattr(cv2, "imdecode", refuse)
    digest = add_map(tmp_path / "noise.png", licence="CC0-1.0")
    image = load_image(digest, "texture")
    assert image.shape == (64, 128, 3)
    assert image.std() > 50.0


def test_an_image_is_decoded_once(tmp_path, monkeypatch):
    (tmp_path / "noise.png").write_bytes(noise(".png"))
    digest = add_map(tmp_path / "noise.png", licence="CC0-1.0")
    monkeypatch.setattr(limits.subprocess, "run", None)
    assert load_image(digest, "texture").shape == (64, 128, 3)

"""Maps by digest: the shipped ones are what their manifest says, the user's are checked, bad ones are refused."""

import hashlib
import json
from importlib.resources import files

import cv2
import numpy as np
import pytest

from simfactory.errors import AssetError
from simfactory.maps import add_map, find_map, load_environment, load_image, shipped_maps

KINDS = {"environment": 18, "normal": 29}


@pytest.fixture(autouse=True)
def asset_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(tmp_path / "assets"))
    return tmp_path / "assets"


@pytest.fixture
def write_image(tmp_path):
    def write(name, height=16, width=32, value=0.5):
        dtype, factor = (np.float32, 1.0) if name.endswith("hdr") else (np.uint8, 255.0)
        cv2.imwrite(str(tmp_path / name), np.full((height, width, 3), value * factor, dtype))
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", sorted(shipped_maps()))
def test_a_shipped_map_is_the_file_that_the_manifest_names_under_a_free_licence(name):
    record = shipped_maps()[name]
    content = files("simfactory").joinpath("data", record.file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == record.sha256
    assert len(content) == record.bytes
    assert record.licence == "CC0-1.0"
    assert record.author
    assert record.source
    image = load_environment(record.sha256) if record.kind == "environment" else load_image(record.sha256, "normal")
    assert image.shape[0] in (256, 512)


def test_the_manifest_lists_all_shipped_files_within_the_size_limit():
    records = shipped_maps().values()
    assert {kind: sum(record.kind == kind for record in records) for kind in KINDS} == KINDS
    assert sum(record.bytes for record in records) <= 12 * 2**20
    assert "CC0 1.0 Universal" in files("simfactory").joinpath("data", "LICENSE.txt").read_text()


NORMALS = [name for name, record in shipped_maps().items() if record.kind == "normal"]


@pytest.mark.parametrize("name", NORMALS)
def test_green_of_normal_maps_leans_up(name):
    """Slopes of a surface have no curl: with green up, red's change upward goes with green's change rightward."""
    image = cv2.GaussianBlur(load_image(shipped_maps()[name].sha256, "normal").astype(np.float64), (0, 0), 2.0)
    red_up, green_right = -np.gradient(image[..., 0], axis=0), np.gradient(image[..., 1], axis=1)
    # The drawn mosaic (20), tiles (25) and steps (13) have edges where slopes jump: no sign is to be seen in them.
    assert np.corrcoef(red_up.ravel(), green_right.ravel())[0, 1] > (
        0.3 if name[-2:] not in ("13", "20", "25") else -0.1
    )


def test_green_of_an_added_normal_map_may_lean_down(tmp_path):
    image = np.full((8, 8, 3), (255, 100, 120), np.uint8)
    cv2.imwrite(str(tmp_path / "n.png"), image)
    digest = add_map(tmp_path / "n.png", licence="CC0-1.0", kind="normal", green="down")
    np.testing.assert_array_equal(load_image(digest, "normal")[0, 0], [120, 155, 255])


@pytest.mark.parametrize("name", [name for name, record in shipped_maps().items() if record.kind == "environment"])
def test_environment_maps_hold_finite_light(name):
    light = load_environment(shipped_maps()[name].sha256)
    assert light.shape == (256, 512, 3)
    assert np.isfinite(light).all()
    assert light.min() >= 0.0
    assert light.max() > 1.0


def test_an_added_image_is_found_with_its_licence(write_image, asset_folder):
    digest = add_map(write_image("a.png"), licence="CC-BY-4.0", author="A. Painter", source="a shelf")
    record = find_map(digest)
    assert (record.kind, record.licence, record.author) == ("texture", "CC-BY-4.0", "A. Painter")
    assert load_image(digest, "texture").shape == (16, 32, 3)
    assert json.loads((asset_folder / f"{digest}.json").read_text())["licence"] == "CC-BY-4.0"


def test_sizes_become_powers_of_two(write_image):
    digest = add_map(write_image("b.jpg", height=50, width=90), licence="CC0-1.0")
    assert load_image(digest, "texture").shape == (64, 64, 3)
    digest = add_map(write_image("c.hdr", height=50, width=100), licence="CC0-1.0")
    light = load_environment(digest)
    assert light.shape == (64, 128, 3)
    np.testing.assert_allclose(light, 0.5, rtol=0.01)  # RGBE has 8 bits


def test_files_that_cannot_be_used_are_refused(write_image, tmp_path):
    good = write_image("good.png")
    for content, name, reason in (
        (good.read_bytes()[:40], "cut.png", "cannot read"),
        (b"#?RADIANCE\n\n-Y 99999 +X 99999\n", "huge.hdr", "at most 8192"),
        (b"nothing", "empty.hdr", "cannot read"),
        (b"nothing", "text.exr", "allowed are png"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(AssetError, match=reason):
            add_map(tmp_path / name, licence="CC0-1.0")
    with pytest.raises(AssetError, match="twice as wide"):
        add_map(write_image("square.hdr", height=32), licence="CC0-1.0")
    with pytest.raises(AssetError, match="no light"):
        add_map(write_image("dark.hdr", value=0.0), licence="CC0-1.0")
    with pytest.raises(AssetError, match="no licence"):
        add_map(good, licence=" ")
    with pytest.raises(AssetError, match="no image file"):
        add_map(tmp_path / "missing.png", licence="CC0-1.0")
    with pytest.raises(AssetError, match="cannot be a map of kind environment"):
        add_map(good, licence="CC0-1.0", kind="environment")


def test_missing_changed_and_mistaken_maps_are_told_apart(write_image, asset_folder):
    with pytest.raises(AssetError, match="assets add FILE"):
        load_environment("0" * 64)
    digest = add_map(write_image("good.png", value=0.3), licence="CC0-1.0")
    with pytest.raises(AssetError, match="is of kind texture, here normal is needed"):
        load_image(digest, "normal")
    (asset_folder / f"{digest}.png").write_bytes(b"changed")
    with pytest.raises(AssetError, match="no longer has the digest"):
        load_image(digest, "texture")
    (asset_folder / f"{digest}.png").unlink()
    with pytest.raises(AssetError, match="cannot read map"):
        load_image(digest, "texture")
    (asset_folder / f"{digest}.json").write_text("{}")
    with pytest.raises(AssetError, match="is damaged"):
        find_map(digest)

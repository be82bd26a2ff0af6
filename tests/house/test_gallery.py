"""The gallery shows every base scene as it is."""

import importlib.util

import pytest

from scenes.listing import catalogue


@pytest.fixture(scope="module")
def gallery(repository_root):
    path = repository_root / "deploy" / "make_gallery.py"
    specification = importlib.util.spec_from_file_location("make_gallery", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_its_text_is_of_today(repository_root, gallery):
    written = (repository_root / "docs" / "scenes.md").read_text(encoding="utf-8")
    assert written == gallery.text(), "run `python deploy/make_gallery.py`"


def test_there_is_a_picture_of_every_scene_and_of_nothing_else(gallery):
    shown = {path.stem for path in gallery.STRIPS.glob("*.jpg")}
    assert shown == {entry.name for entry in catalogue()}

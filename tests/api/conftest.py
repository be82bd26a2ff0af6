"""An asset folder of the tests' own."""

import pytest


@pytest.fixture
def assets(tmp_path, monkeypatch):
    folder = tmp_path / "assets"
    monkeypatch.setenv("SIMFACTORY_ASSETS", str(folder))
    return folder

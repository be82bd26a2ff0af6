"""Datasets that the store's tests read."""

import pytest

from simfactory.store import create_dataset
from simfactory.testing.store import write_example


@pytest.fixture
def folder(tmp_path):
    """An empty portable dataset."""
    return create_dataset(tmp_path / "dataset")


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A portable dataset of six example clips; tests only read it."""
    folder = create_dataset(tmp_path_factory.mktemp("store") / "dataset")
    for number in range(6):
        write_example(folder, number)
    return folder

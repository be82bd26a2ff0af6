"""Both profiles of a local dataset, and one in an object store, pass the shipped contract."""

import pytest

from simfactory.store import create_dataset
from simfactory.testing.store import StoreContract


class TestPortableStore(StoreContract):
    def create(self, path):
        return create_dataset(path, profile="portable")


class TestArchiveStore(StoreContract):
    def create(self, path):
        return create_dataset(path, profile="archive")


@pytest.mark.usefixtures("object_store")
class TestObjectStore(StoreContract):
    def create(self, path):
        return create_dataset(f"s3://bucket/{path.parent.name}/{path.name}")

"""Both profiles of a local dataset pass the shipped contract."""

from simfactory.store import create_dataset
from simfactory.testing.store import StoreContract


class TestPortableStore(StoreContract):
    def create(self, path):
        return create_dataset(path, profile="portable")


class TestArchiveStore(StoreContract):
    def create(self, path):
        return create_dataset(path, profile="archive")

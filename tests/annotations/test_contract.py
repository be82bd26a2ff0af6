"""Every annotation of the folder passes the shipped contract."""

import pytest

from simfactory.annotations import annotation_names, annotations
from simfactory.testing.annotation import AnnotationContract


def contract_of(name):
    return type(f"Test_{name}", (AnnotationContract,), {"annotation": found[name], "__module__": __name__})


found = {annotation.name: annotation for annotation in annotations()}
globals().update({f"Test_{name}": contract_of(name) for name in annotation_names()})


def test_every_annotation_is_tested():
    assert {name for name in globals() if name.startswith("Test_")} == {f"Test_{name}" for name in annotation_names()}


def test_signal_names_are_unique_over_all_annotations():
    names = [signal.name for annotation in annotations() for signal in annotation.signals]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["rgb", "depth", "normal", "instance", "mask", "scene_flow", "tracks", "points"])
def test_expected_modalities_are_there(name):
    assert name in annotation_names()

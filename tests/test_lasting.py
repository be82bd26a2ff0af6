"""What is made to last is left alone by the garbage collector, and the collector goes on afterwards."""

import gc

import pytest

from simfactory.lasting import lasting


def test_nothing_is_collected_inside() -> None:
    frozen = gc.get_freeze_count()
    with lasting():
        assert not gc.isenabled()
        made = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(made)


def test_the_collector_goes_on_after_an_error() -> None:
    with pytest.raises(ModuleNotFoundError), lasting():
        raise ModuleNotFoundError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with lasting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()

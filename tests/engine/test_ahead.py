"""Stages in threads: order, back-pressure, errors and endings."""

import threading
import time

import pytest

from simfactory.ahead import Ahead


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def test_items_come_in_order_and_then_end():
    with Ahead(iter(range(50)), size=3, name="numbers") as numbers:
        assert list(numbers) == list(range(50))
        assert list(numbers) == []


def test_no_more_items_are_made_than_there_is_room_for():
    made = []

    def numbers():
        for number in range(100):
            made.append(number)
            yield number

    with Ahead(numbers(), size=2, name="numbers") as ahead:
        assert until(lambda: len(made) == 3)  # two wait, one is in hand
        time.sleep(0.1)
        assert len(made) == 3
        assert next(ahead) == 0
        assert until(lambda: len(made) == 4)


def test_an_error_comes_out_after_the_items_before_it():
    def numbers():
        yield 1
        raise LookupError("the second one is lost")

    with Ahead(numbers(), size=4, name="numbers") as ahead:
        assert next(ahead) == 1
        with pytest.raises(LookupError, match="second"):
            next(ahead)
        assert list(ahead) == []


def test_what_is_ready_is_taken_without_waiting():
    go = threading.Event()

    def numbers():
        yield from (1, 2)
        go.wait()
        yield 3

    with Ahead(numbers(), size=4, name="numbers") as ahead:
        assert next(ahead) == 1
        assert until(lambda: ahead.waiting(5) == [2])
        assert ahead.waiting(5) == []
        go.set()
        assert list(ahead) == [3]
        assert ahead.waiting(5) == []


def test_closing_ends_the_thread_closes_the_generator_in_it_and_returns_what_is_left():
    closed_by = []

    def numbers():
        try:
            yield from range(100)
        finally:
            closed_by.append(threading.current_thread().name)

    ahead = Ahead(numbers(), size=2, name="numbers")
    assert next(ahead) == 0
    left = ahead.close()
    assert left == list(range(1, 1 + len(left)))
    assert len(left) >= 1
    assert closed_by == ["numbers"]
    assert "numbers" not in {thread.name for thread in threading.enumerate()}


def test_stages_in_a_row_hold_each_other_back():
    made = []

    def first():
        for number in range(1000):
            made.append(number)
            yield number

    def second(numbers):
        for number in numbers:
            yield 2 * number

    with Ahead(first(), size=1, name="first") as one, Ahead(second(one), size=1, name="second") as two:
        assert next(two) == 0
        assert until(lambda: len(made) >= 4)
        time.sleep(0.1)
        assert len(made) <= 6

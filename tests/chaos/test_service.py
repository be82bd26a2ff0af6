"""A service whose parts die loses no clip, doubles none, and goes on. The long runs: `benchmarks/chaos.py`."""

import tempfile
from pathlib import Path

import pytest

from api.testing.chaos import TRIALS, failures_of

# Smaller than the benchmark's, the same code.
SMALL = {
    "killed_workers": {"kills": 10, "clips": 250},
    "replaced_episodes": {"clips": 40},
    "queue_away": {"clips": 120},
    "queue_emptied": {"clips": 120},
    "api_killed": {"clips": 120, "kills": 1},
    "disk_full": {"clips": 120},
    "clock_jumps": {"clips": 60},
    "killed_newton": {"kills": 1, "clips": 6},
}


@pytest.fixture
def short_folder():
    """A folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="sf") as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIALS)
def test_what_was_asked_for_is_there_once(name, short_folder):
    account = TRIALS[name](short_folder, **SMALL.get(name, {}))
    assert failures_of(account) == [], account


def test_an_account_with_anything_wrong_fails():
    right = {
        "wanted": 3,
        "counted": 3,
        "catalogued": 3,
        "committed": 3,
        "doubled": 0,
        "damaged": 0,
        "must": {"a": True},
    }
    assert failures_of(right) == []
    for change in ({"committed": 2}, {"doubled": 1}, {"damaged": 1}, {"must": {"a": False}}, {"quarantined_clips": 1}):
        assert failures_of({**right, **change})

"""The command line as a user runs it, and a small dataset that it made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


class Command:
    """Runs `simfactory` in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def start(self, *arguments):
        command = [str(Path(sys.executable).parent / "simfactory"), *map(str, arguments)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=os.environ | {"COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *arguments, fails=False):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        assert (process.returncode != 0) == fails, f"exit {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return out if not fails else out + err


@pytest.fixture
def simfactory(tmp_path):
    return Command(tmp_path)


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory):
    """A dataset of three clips from two rigid episodes, simulated by newton."""
    folder = tmp_path_factory.mktemp("small")
    small = ("--clips", "3", "--views", "2", "--frames", "6", "--size", "48x48", "--seed", "3")
    Command(folder)("generate", "--out", "data", "--workers", "1", *small)
    return folder / "data"

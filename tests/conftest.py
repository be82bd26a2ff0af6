"""Set-up shared by all tests: run-time type checking, property-test profiles, and where the repository lies."""

import os
from pathlib import Path

import hypothesis
import jaxtyping
import pytest

# Arguments, results and fields of these modules are checked against their annotated types, dtypes and shapes. Modules
# that define Warp kernels cannot be checked so (Warp compiles the source of undecorated functions), nor can those that
# take numpy's ArrayLike (its protocols do not hold at run time for a plain tuple of integers).
TYPE_CHECKED = [
    "simfactory.episode",
    "simfactory.meshes",
    "simfactory.rng",
]

# The numeric tower of PEP 484: an int will do for a float, as it does for mypy.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"

jaxtyping.install_import_hook(TYPE_CHECKED, CHECKER)

# The shipped contract suites explain a failed assertion as test files do.
pytest.register_assert_rewrite("simfactory.testing", "training.testing")

# No deadlines: timing lives in benchmarks/. In CI the examples are the same in every run.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def repository_root() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]

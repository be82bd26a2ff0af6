"""Policies: a script goes through its actions, an external one is found by its path or missed with a remedy."""

import sys

import pytest

from simfactory.actions import Controller, Script, load_policy
from simfactory.actions.go_to import GoTo
from simfactory.actions.wait import Wait
from simfactory.errors import SpecError
from simfactory.testing.arms import make_arm_spec, obeyed

SPEC = make_arm_spec(frame_count=20)
AWAY, WAIT = GoTo(target=(5.0, 0.0, 0.0)), Wait(duration=0.1)

MODULE = """
from simfactory.actions.wait import Wait

class Patient:
    def act(self, seen):
        return None if seen.last else Wait(duration=0.2)

def nothing():
    return 3

LIMIT = 7
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "outside_policies.py").write_text(MODULE)
    (tmp_path / "needy_policies.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("outside_policies", None)


@pytest.mark.parametrize(("on_failure", "count"), [("go_on", 2), ("stop", 1)])
def test_a_script_goes_on_or_stops_after_a_failure(on_failure, count):
    controller = Controller(SPEC, Script(AWAY, WAIT, on_failure=on_failure))
    obeyed(controller, SPEC, frames=20)
    assert controller.finished
    assert sum(entry.status == "running" for entry in controller.log) == count


def test_environments_may_share_a_script():
    script = Script(WAIT)
    for _ in range(2):
        controller = Controller(SPEC, script)
        obeyed(controller, SPEC, frames=20)
        assert [entry.status for entry in controller.log] == ["running", "succeeded"]


@pytest.mark.usefixtures("module")
def test_an_external_policy_is_found_and_runs():
    controller = Controller(SPEC, load_policy("outside_policies:Patient"))
    obeyed(controller, SPEC, frames=20)
    assert [(entry.frame, entry.status) for entry in controller.log] == [(0, "running"), (4, "succeeded")]


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("outside_policies.Patient", "is not of the form 'package.module:factory'"),
        ("no_such_module:Patient", "there is no module 'no_such_module'; install its package"),
        ("outside_policies:Hasty", r"has no callable 'Hasty'; it has \['Patient', 'Wait', 'nothing'\]"),
        ("outside_policies:LIMIT", "has no callable 'LIMIT'"),
        ("outside_policies:nothing", r"made a int without a method act\(observation\)"),
    ],
)
def test_a_policy_that_is_not_there_is_refused_with_what_to_do(path, message):
    with pytest.raises(SpecError, match=message):
        load_policy(path)


@pytest.mark.usefixtures("module")
def test_what_a_module_lacks_itself_is_not_hidden():
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        load_policy("needy_policies:Patient")

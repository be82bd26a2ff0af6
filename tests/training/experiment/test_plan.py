"""Plans: every arm takes equally many steps, and is compared with an earlier one."""

import pickle

import pytest

from simfactory.errors import SpecError
from training.config_files import read_config
from training.experiment import PLANS, Arm, ArmStage, Plan, StepCounts, find_plan
from training.experiment.plan import FIRST, HEADS


@pytest.mark.parametrize("name", PLANS)
def test_all_arms_of_a_plan_take_equally_many_steps(name):
    steps = StepCounts(base=7, heads=5, tune=3)
    taken = {sum(steps.of(stage.parts) for stage in arm.stages) for arm in find_plan(name).arms}
    assert taken == {15}


@pytest.mark.parametrize("name", PLANS)
def test_every_change_of_an_arm_is_a_configuration(name):
    for arm in find_plan(name).arms:
        for stage in arm.stages:
            read_config(stage.stage, preset="tiny", changes=[stage.changes])


@pytest.mark.parametrize("name", PLANS)
def test_plans_travel_to_other_processes(name):
    plan = find_plan(name)
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_terms_are_switched_off_one_by_one():
    full, *others = find_plan("terms").arms
    whole = read_config("sft", preset="tiny", changes=[full.stages[-1].changes]).losses.weights()
    lost = {}
    for arm in others:
        kept = read_config("sft", preset="tiny", changes=[arm.stages[-1].changes]).losses.weights()
        lost[arm.name] = {name for name, weight in whole.items() if weight and not kept[name]}
    assert lost["no_warp"] == {"warp"}
    assert lost["no_depth"] == {"warp", "depth"}
    assert lost["no_rgb"] == {"rgb"}
    assert lost["no_pixel"] == {"pixel"}
    assert lost["no_semantic"] == {"semantic"}
    assert lost["high_noise"] == lost["no_region"] == lost["block_1"] == lost["no_stage_1"] == set()


def test_an_arm_with_steps_of_its_own_is_refused():
    with pytest.raises(SpecError, match="'short' takes the steps of base, heads; each arm takes those of base, heads"):
        Arm(name="short", title="", against=None, stages=(FIRST, HEADS))


def test_an_arm_is_compared_with_an_earlier_one():
    stages = (FIRST, HEADS, ArmStage(stage="sft", data="sim", parts=("tune",)))
    late = Arm(name="late", title="", against="later", stages=stages)
    with pytest.raises(SpecError, match="arm 'late' against 'later'"):
        Plan(name="wrong", arms=(late, Arm(name="later", title="", against=None, stages=stages)))


def test_chosen_arms_come_with_what_they_are_compared_with():
    assert [arm.name for arm in find_plan("arms").chosen(("F",)).arms] == ["Base", "A", "B", "F"]
    assert find_plan("arms").chosen(()) == find_plan("arms")
    with pytest.raises(SpecError, match="no arms C; choose from Base, A, B, F, G"):
        find_plan("arms").chosen(("C",))
    with pytest.raises(SpecError, match="no plan 'all'; choose one of arms, terms"):
        find_plan("all")

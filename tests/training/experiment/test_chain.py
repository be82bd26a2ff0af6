"""Chains: what arms have in common is trained once, and everything that weights follow from gives another run."""

import shutil
from dataclasses import replace

import pytest

from simfactory.errors import SpecError
from training.experiment import Setting, StepCounts, arm_chains, find_plan, runs_by_depth


@pytest.fixture
def setting(sim, poor):
    return Setting(
        data={"sim": sim, "poor": poor},
        test=sim,
        seeds=(0, 1),
        steps=StepCounts(base=4, heads=2, tune=3),
        tune_rate=5e-4,
    )


def test_arms_share_the_runs_that_they_begin_with(setting, tmp_path):
    chains = {(chain.arm.name, chain.seed): chain for chain in arm_chains(find_plan("arms"), setting, tmp_path)}
    base, a, b, g = (chains[name, 0].runs for name in ("Base", "A", "B", "G"))
    assert base[0] == a[0] == b[0] == g[0]
    assert b[1] == g[1]
    assert len({runs[-1].folder for runs in (base, a, b, g)}) == 4
    # A seed: one network, Base's and A's change with their heads, heads for stage II, and three stages II.
    assert [len(wave) for wave in runs_by_depth(list(chains.values()))] == [2 * 1, 2 * 3, 2 * 5]


def test_a_stage_begins_with_the_model_before_it(setting, tmp_path):
    chain = next(c for c in arm_chains(find_plan("arms"), setting, tmp_path) if c.arm.name == "B")
    assert [run.config.stage for run in chain.runs] == ["base", "pretrain", "sft"]
    assert [run.config.optimizer.steps for run in chain.runs] == [4, 2, 3]
    assert [run.config.model.start for run in chain.runs] == ["micro", *(str(run.model) for run in chain.runs[:-1])]


def test_the_compared_stage_has_one_rate_in_all_arms(setting, tmp_path):
    rates = {
        run.config.optimizer.rate
        for chain in arm_chains(find_plan("arms"), setting, tmp_path)
        for run in chain.runs
        if run.config.optimizer.steps == setting.steps.tune
    }
    assert rates == {5e-4}


def test_runs_are_named_by_clips_and_not_by_where_they_lie(setting, sim, poor, tmp_path):
    plan = find_plan("arms").chosen(("A",))
    names = [run.folder.name for chain in arm_chains(plan, setting, tmp_path) for run in chain.runs]
    shutil.copytree(sim, tmp_path / "moved")
    moved = replace(setting, data={"sim": str(tmp_path / "moved"), "poor": poor})
    assert [run.folder.name for chain in arm_chains(plan, moved, tmp_path) for run in chain.runs] == names
    swapped = replace(setting, data={"sim": poor, "poor": sim})
    other = [run.folder.name for chain in arm_chains(plan, swapped, tmp_path) for run in chain.runs]
    assert not set(names) & set(other)


def test_settings_that_say_nothing_are_refused(sim):
    with pytest.raises(SpecError, match="no dataset for poor"):
        Setting(data={"sim": sim}, test=sim)
    with pytest.raises(SpecError, match=r"seeds \(1, 1\)"):
        Setting(data={"sim": sim, "poor": sim}, test=sim, seeds=(1, 1))

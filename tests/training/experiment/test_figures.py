"""Differences of arms, and the sentences that follow from their intervals."""

import numpy as np
import pytest

from training.evaluation.result import TRUTH, EvalClip
from training.evaluation.scoring import ClipScores
from training.experiment import Figures, beside_trivial, comparisons, figure_rows, find_plan

PLAN = find_plan("arms").chosen(("A",))
CLIPS = [f"clip{number}" for number in range(20)]
GROUPS = {"all": CLIPS, "new scene": CLIPS[:5]}


def figures_of(changes, *, metric="object_epe", without=(), noise=0.3):
    """Figures of two seeds: Base's are hard clips and easy ones, A's differ by one change for each seed."""
    rng = np.random.default_rng(3)
    hardness = rng.uniform(1.0, 9.0, len(CLIPS))
    clips = {"Base": [], "A": []}
    for change in changes:
        for arm, shift in (("Base", 0.0), ("A", change)):
            values = hardness + shift + noise * rng.normal(size=len(CLIPS))
            clips[arm].append(
                {
                    clip: EvalClip(
                        clip_id=clip,
                        camera_moves=False,
                        columns={
                            TRUTH: ClipScores(values={metric: 0.0}),
                            "still": ClipScores(values={metric: 2.5}),
                            f"{arm}, generated": ClipScores(values={metric: value}),
                        },
                    )
                    for clip, value in zip(CLIPS, values, strict=True)
                    if (arm, clip) not in without
                }
            )
    return Figures(seeds=tuple(range(len(changes))), clips=clips)


def test_a_difference_smaller_than_the_spread_of_clips_is_found_in_pairs():
    (found,) = comparisons(PLAN, figures_of([-1.0, -1.2]), {"all": CLIPS}, ["object_epe"])
    assert found.interval.mean == pytest.approx(-1.1, abs=0.15)
    assert found.decided
    assert found.verdict == "better"
    assert found.sentence.startswith("A is lower than Base by 1")
    assert found.sentence.endswith("] in object flow EPE (generated): better.")


def test_higher_is_worse_where_lower_is_better_and_the_other_way_round():
    for metric, verdict in (("object_epe", "worse"), ("psnr", "better")):
        (found,) = comparisons(PLAN, figures_of([1.0, 1.2], metric=metric), {"all": CLIPS}, [metric])
        assert found.verdict == verdict
        assert "A is higher than Base by 1" in found.sentence


def test_no_difference_is_shown_where_there_is_none():
    (found,) = comparisons(PLAN, figures_of([0.0, 0.0]), {"all": CLIPS}, ["object_epe"])
    assert found.verdict == "open"
    assert found.sentence.startswith("No difference shown between A and Base in object flow EPE (generated): ")


def test_seeds_that_disagree_decide_nothing():
    (found,) = comparisons(PLAN, figures_of([-1.0, 0.6]), {"all": CLIPS}, ["object_epe"])
    assert found.verdict == "open"


def test_clips_that_one_arm_lacks_count_for_neither():
    figures = figures_of([-1.0, -1.0], without={("A", "clip0"), ("Base", "clip1")})
    (found,) = comparisons(PLAN, figures, {"all": CLIPS}, ["object_epe"])
    assert found.interval.clip_count == 18


def test_of_few_clips_nothing_is_told():
    groups = {found.group for found in comparisons(PLAN, figures_of([-1.0, -1.0]), GROUPS, ["object_epe"])}
    assert groups == {"all"}


def test_the_table_shows_floors_and_trivial_predictors_beside_arms():
    rows = figure_rows(PLAN, figures_of([-1.0, -1.0]), GROUPS, ["object_epe", "psnr"])
    assert [row.name for row in rows] == ["object flow EPE, generated", "object flow EPE, generated, new scene"]
    assert rows[0].floor == 0.0
    assert list(rows[0].values) == ["Base", "A", "still"]
    assert rows[0].values["still"].mean == 2.5
    assert rows[1].values["Base"].clip_count == 5


def test_arms_are_put_beside_what_knows_nothing_of_motion():
    figures = figures_of([-1.0, -1.2])
    found = beside_trivial(PLAN, figures, CLIPS)
    assert [(one.arm, one.against, one.metric, one.kind) for one in found] == [
        ("Base", "still", "object_epe", "generated"),
        ("A", "still", "object_epe", "generated"),
    ]
    for one in found:
        mean = figures.values(one.arm, f"{one.arm}, generated", "object_epe", CLIPS).mean()
        assert one.interval.mean == pytest.approx(mean - 2.5)
    assert beside_trivial(PLAN, figures, CLIPS[:5]) == ()

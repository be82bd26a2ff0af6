"""Shares of preferred intact clips, by violation."""

import json
import math
import shutil

import pytest
import torch
from typer.testing import CliRunner

from simfactory import catalog
from simfactory.dataset import open_dataset
from simfactory.errors import SpecError
from simfactory.store import open_folder
from tests.training.dpo.conftest import write_loser
from training.cli import app
from training.evaluation.preferences import PairScore, preference_rows
from training.model import TINY_SIZES, ClipFormat, TinyBackbone, TrainedModel


def score(number, violation, **errors):
    return PairScore(winner=f"w{number}", loser=f"l{number}", violation=violation, errors=errors)


def test_shares_are_counted_by_violation_and_against_the_reference():
    scores = [
        score(0, "gravity", before=(1.0, 2.0), after=(1.0, 3.0)),
        score(1, "gravity", before=(2.0, 1.0), after=(2.0, 1.5)),
        score(2, "delay", before=(1.0, 1.0), after=(1.5, 1.5)),
    ]
    rows = {(row.violation, row.model): row for row in preference_rows(scores, reference="before", seed=0)}
    assert {key: row.share.mean for key, row in rows.items()} == {
        ("all", "before"): 0.5,
        ("all", "after"): 0.5,
        ("delay", "before"): 0.5,
        ("delay", "after"): 0.5,
        ("gravity", "before"): 0.5,
        ("gravity", "after"): 0.5,
    }
    assert rows["gravity", "after"].relative.mean == 1.0
    assert rows["gravity", "before"].relative is None
    assert (rows["delay", "after"].equal, rows["gravity", "after"].equal) == (1, 0)
    assert rows["all", "after"].winner_error == pytest.approx(1.5)
    assert (rows["all", "before"].share.low, rows["all", "before"].share.high) == (0.0, 1.0)


def test_errors_that_are_no_numbers_and_no_pairs_are_refused():
    with pytest.raises(SpecError, match="not finite"):
        preference_rows([score(0, "gravity", before=(math.nan, 1.0))], reference="before", seed=0)
    with pytest.raises(SpecError, match="no pairs"):
        preference_rows([], reference="before", seed=0)


def test_the_command_compares_models(falling, tmp_path):
    shutil.copytree(falling, tmp_path / "data")
    for clip in list(open_dataset(falling))[:2]:
        write_loser(tmp_path / "data", clip)
    catalog.update(open_folder(tmp_path / "data"))
    backbone = TinyBackbone(TINY_SIZES["micro"])
    format_ = ClipFormat(frame_count=5, height=16, width=16, fps=12.0)
    TrainedModel(backbone=backbone, clip=format_).save(tmp_path / "one")
    with torch.no_grad():
        for parameter in backbone.parameters():
            parameter.add_(0.05)
    TrainedModel(backbone=backbone, clip=format_).save(tmp_path / "two")
    words = ["eval", "--pairs", tmp_path / "data", "--split", "", "--out", tmp_path / "out", "--device", "cpu"]
    words += ["--model", tmp_path / "one", "--model", tmp_path / "two"]
    for _ in range(2):
        answer = CliRunner().invoke(app, [str(word) for word in words])
        assert answer.exit_code == 0, answer.output
        told = json.loads((tmp_path / "out" / "preferences.json").read_text())
        assert told["reference"] == "one"
        assert [(row["violation"], row["model"], row["share"]["clip_count"]) for row in told["rows"]] == [
            (violation, model, 2) for violation in ("all", "gravity") for model in ("one", "two")
        ]
        first = told["pairs"][0]["errors"]
        assert first["one"][0] != first["one"][1]
        assert first["one"] != first["two"]
    assert "| gravity | 2 | two |" in (tmp_path / "out" / "preferences.md").read_text()

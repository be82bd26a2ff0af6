"""What the benchmark of the service does, in small: and that fast ways give what slow ones give."""

import json
import os
import random
import subprocess
import sys

import pytest
from sqlalchemy import select, text

import api.clips
from api.database import Database
from api.ledger import add_clips, apply_result
from api.tables import ClipRow, JobRow, ShardRow

UNITS = 8


def test_the_benchmark_runs_in_small(repository_root, tmp_path):
    command = [sys.executable, str(repository_root / "benchmarks" / "service_scale.py"), "--quick"]
    environment = os.environ | {"PYTHONPATH": str(repository_root)}
    process = subprocess.run(
        [*command, "--json", str(tmp_path / "quick.json")], env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr[-4000:]
    report = json.loads((tmp_path / "quick.json").read_text())
    assert report["rows"]["sqlite"]["clips"] == 19_920
    assert report["shards"]["sqlite"]["queue"]["shards"] == 1_000
    assert report["workers"]["sqlite"]["10 clips/s each"]["clips_per_second"] > 0


@pytest.mark.parametrize("nearby", [3, 2000])
def test_lists_by_any_two_filters_are_those_of_a_plain_query(tmp_path, monkeypatch, nearby):
    monkeypatch.setattr(api.clips, "NEARBY", nearby)
    database, rng = Database(f"sqlite:///{tmp_path / 'simfactory.db'}"), random.Random(1)
    values = {"category": "abc", "scene": "rstuvw", "tier": "xy", "split": "pq", "backend": "mn", "preset": "gh"}
    with database.writing() as session:
        for number in range(60):
            clips = [
                _clip(
                    20 * number + each, **{name: rng.choice(kinds[: 1 + number // 6]) for name, kinds in values.items()}
                )
                for each in range(20)
            ]
            add_clips(session, f"j{number // 20}", f"d{number % 3}", clips, at=1.0)
    values |= {"dataset": ["d0", "d1", "absent"], "job": ["j0", "j2", "absent"]}
    with database.reading() as session:
        for _ in range(400):
            chosen = rng.sample(sorted(values), rng.randint(0, 3))
            wanted = {name: rng.choice(values[name]) for name in chosen}
            after, limit = rng.choice([0, 1, 500, 1150]), rng.choice([1, 7, 100])
            plain = select(ClipRow.id).where(ClipRow.number > after).order_by(ClipRow.number).limit(limit)
            plain = plain.where(*(getattr(ClipRow, name) == value for name, value in wanted.items()))
            cursor = api.clips.encode_cursor(b"key", "clips", [after])
            page = api.clips.clip_page(session, b"key", wanted, cursor, limit)
            assert [clip.id for clip in page.items] == list(session.scalars(plain)), wanted
    database.close()


@pytest.mark.parametrize("together", [7, 1000])
def test_results_entered_together_are_those_entered_one_by_one(tmp_path, together):
    messages = list(_messages(random.Random(2)))
    single = _entered(Database(f"sqlite:///{tmp_path / 'single.db'}"), messages, 1)
    assert _entered(Database(f"sqlite:///{tmp_path / 'together.db'}"), messages, together) == single
    assert {"clips", "replacements", "events", "rates"} <= {table for table, rows in single.items() if rows}


def _entered(database, messages, together):
    """Enter messages, so many in a transaction; return what the tables hold, without the times."""
    with database.writing() as session:
        session.add_all([_job("ja", planned=True), _job("jb", planned=False)])
        for number in range(20):
            keys = [[0, UNITS * number + each, 0] for each in range(UNITS)]
            session.add(ShardRow(id=f"s{number}", job=_owner(number), queue="q", units=keys, created=1.0))
    for begin in range(0, len(messages), together):
        with database.writing() as session:
            for message in messages[begin : begin + together]:
                apply_result(session, message)
    columns = {
        "jobs": "id, state, clips_done, frames, bytes, replaced, failed, reasons, trials, version",
        "shards": "id, units",
        "replacements": 'job, part, "index", attempt, last, alone',
        "failures": 'job, part, "index", attempt, reason, detail',
        "clips": "number, id, job, kind, scene, bytes",
        "datasets": "name, clips, frames, bytes, categories, splits",
        "events": "id, kind, job, data",
        "rates": "category, device, frames, pixels, bytes, seconds",
    }
    with database.reading() as session:
        found = {
            table: [tuple(row) for row in session.execute(text(f"SELECT {names} FROM {table} ORDER BY 1, 2"))]
            for table, names in columns.items()
        }
    database.close()
    return found


def _messages(rng):
    """Yield what workers may say: most clips committed, some refused, broken, given back, or told twice."""
    told = []
    for number in range(20):
        keys = [[0, UNITS * number + each, 0] for each in range(UNITS)]
        done = keys[:3] if number % 6 == 1 else keys
        for key in done:
            status = rng.choices(("committed", "rejected", "failed"), (8, 1, 1))[0]
            clips = [_clip(5 * key[1] + camera, scene=f"s{key[1] % 4}") for camera in range(5)]
            told.append(
                {
                    "kind": "unit", "shard": f"s{number}", "job": _owner(number), "dataset": "d", "unit": key,
                    "status": status, "clips": clips if status == "committed" else [], "added": 5, "steps": 48,
                    "backend": "mock", "reasons": ["penetration"] if status == "rejected" else [],
                    "failure": "it broke" if status == "failed" else "", "worker": "w", "device": "cpu",
                    "stages": {"simulation": 0.5}, "at": 2.0,
                }
            )  # fmt: skip
            if rng.random() < 0.2:
                told.append(told[-1])
        if number % 6 == 1:
            begun, broken = (keys[3:5], "it broke") if number % 4 == 1 else ([], "")
            told.append(
                {
                    "kind": "returned", "shard": f"s{number}", "job": _owner(number), "left": keys[3:], "begun": begun,
                    "broken": broken, "worker": "w", "at": 2.0,
                }
            )  # fmt: skip
        told.append(rng.choice(told))
    return told


def _owner(shard):
    return "ja" if shard % 3 else "jb"


def _job(identity, *, planned):
    counts = dict.fromkeys(("part", "index", "clips_done", "frames", "bytes", "replaced", "failed", "version"), 0)
    return JobRow(
        id=identity, name="", state="running", reason="", priority="default", backend="mock", dataset="d",
        request={"dataset": "data", "items": []}, tags=[],
        parts=[[200, 1000]], planned=planned, clips_wanted=1000, reasons={}, trials={},
        created=1.0, **counts,
    )  # fmt: skip


def _clip(number, **values):
    known = {
        "category": "rigid",
        "scene": "ramp",
        "tier": "single",
        "split": "train",
        "backend": "mock",
        "preset": "draft",
    }
    return {
        "clip_id": f"c{number}", "seed": 1, "index": number, "camera": "ring_0", "frame_count": 48, "fps": 24.0,
        "width": 64, "height": 64, "modalities": ["rgb"], "bytes": 1000 + number, "profile": "portable",
        **known, **values,
    }  # fmt: skip

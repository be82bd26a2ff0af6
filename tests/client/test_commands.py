"""The commands of the service, as tables and as JSON, with their exit codes."""

import json
import os
import signal
import subprocess
import sys

import pytest

from simfactory.errors import ServiceError, SpecError
from simfactory.store import validate
from simfactory.testing.store import example_id
from tests.client.service import Fault

FAILURE = {"part": 0, "index": 7, "attempt": 4, "reason": "diverged", "detail": "a corner left the room", "at": 1.0}


def good(result):
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result.stdout


def documents(result):
    return [json.loads(text) for text in good(result).splitlines()]


def request_of(service, job="j1"):
    return service.jobs[job]["request"]


def test_submit_prints_the_id_and_says_how_to_watch(service, command):
    result = command("submit", "--category", "cloth", "--clips", 20)
    assert good(result) == "j1\n"
    assert "`simfactory watch j1`" in result.stderr
    assert request_of(service)["dataset"] == "cloth"
    assert request_of(service)["items"] == [{"category": "cloth", "clips": 20, "scene": None, "tier": None}]


def test_every_option_reaches_the_request(service, command):
    good(
        command(
            *("submit", "--dataset", "night", "--category", "rigid", "--scene", "drop", "--tier", "two_body"),
            *("--clips", 8, "--seed", 3, "--seed", 4, "--frames", 24, "--fps", 12, "--until-rest", "--size", "96x64"),
            *("--cameras", "ring,crane", "--views", 2, "--modalities", "rgb,depth", "--range", "friction=0.1:0.3"),
            *("--sweep", "gravity=1.6,9.8", "--siblings", "restitution=0.2,0.8", "--split", "80/10/10"),
            *("--hold-out", "gravity=3:4", "--backend", "mock", "--preset", "high", "--profile", "archive"),
            *("--name", "mine", "--tag", "a", "--tag", "b", "--priority", "high", "--max-workers", 3),
            *("--template", "phys4d-full", "--assets", "a1"),
        )
    )
    found = request_of(service)
    assert found == {
        "dataset": "night",
        "name": "mine",
        "items": [{"category": "rigid", "scene": "drop", "tier": "two_body", "clips": 8}],
        "template": "phys4d-full",
        "specs": [],
        "seeds": [3, 4],
        "frames": 24,
        "fps": 12.0,
        "size": [96, 64],
        "cameras": ["ring", "crane"],
        "views": 2,
        "modalities": ["rgb", "depth"],
        "until_rest": True,
        "ranges": {"friction": [0.1, 0.3]},
        "sweeps": {"gravity": [1.6, 9.8]},
        "siblings": {"restitution": [0.2, 0.8]},
        "split": "80/10/10",
        "hold_out": {"gravity": [3.0, 4.0]},
        "assets": "a1",
        "backend": "mock",
        "preset": "high",
        "profile": "archive",
        "priority": "high",
        "max_workers": 3,
        "tags": ["a", "b"],
    }


def test_options_win_over_the_fields_of_a_file(service, command, tmp_path):
    request = {"dataset": "mine", "items": [{"category": "cloth", "clips": 9}], "frames": 12, "preset": "high"}
    (tmp_path / "r.json").write_text(json.dumps(request))
    good(command("submit", "--request", "r.json", "--clips", 3, "--frames", 24))
    good(command("submit", "--request", "-", "--category", "rope", input=json.dumps(request)))
    first, second = request_of(service, "j1"), request_of(service, "j2")
    assert (first["items"][0]["clips"], first["frames"], first["preset"]) == (3, 24, "high")
    assert (second["items"][0]["category"], second["items"][0]["clips"]) == ("rope", 9)


def test_template_alone_names_its_dataset(service, command):
    good(command("submit", "--template", "phys4d-full"))
    assert (request_of(service)["dataset"], request_of(service)["items"]) == ("phys4d-full", [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "big"], "WIDTHxHEIGHT"),
        (["--range", "frication=0:1"], "allowed are"),
        (["--sweep", "friction=0.1"], "two or more"),
        (["--sweep", "friction"], "NAME=VALUE,VALUE"),
        (["--sweep", "speed_of_light=1,2"], "unknown"),
        (["--siblings", "mass=1,2"], "allowed are"),
        (["--request", "none.json"], "No such file"),
        (["--assets", "none.obj"], "no such file"),
        (["--template", "phys4d-full", "--clips", "3"], "--category and --clips"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(service, command, arguments, message):
    result = command("submit", *arguments)
    assert isinstance(result.exception, SpecError), result.exception
    assert message in str(result.exception)
    assert service.seen == []


def test_items_that_cannot_be_told_apart_are_refused(command, tmp_path):
    items = [{"category": "cloth", "clips": 9}, {"category": "rope", "clips": 9}]
    (tmp_path / "r.json").write_text(json.dumps({"items": items}))
    assert "2 items" in str(command("submit", "--request", "r.json", "--clips", 3).exception)
    assert "--dataset" in str(command("submit", "--request", "r.json").exception)
    (tmp_path / "r.json").write_text('{"items": ["cloth"]}')
    assert "list of objects" in str(command("submit", "--request", "r.json").exception)
    (tmp_path / "r.json").write_text("[]")
    assert "one JSON object" in str(command("submit", "--request", "r.json").exception)


def test_mesh_files_are_uploaded_as_one_set(service, command, tmp_path):
    for name in ("cup", "mug"):
        (tmp_path / f"{name}.obj").write_text("v 0 0 0\n")
    files = ("--assets", "cup.obj", "--assets", "mug.obj", "--unit", "cm", "--licence", "CC0-1.0")
    result = command("submit", *files, "--dry-run")
    assert "not uploaded" in result.stderr
    assert service.assets == []
    good(command("submit", *files))
    assert request_of(service)["assets"] == "a1"
    assert [mesh["name"] for mesh in service.assets[0]["meshes"]] == ["cup.obj", "mug.obj"]
    assert service.assets[0]["unit"] == "cm"


def test_dry_run_prints_the_estimate_and_makes_no_job(service, command):
    text = good(command("submit", "--category", "cloth", "--clips", 20, "--dry-run"))
    for part in ("139.0 MB", "15 min with 2 workers", "cloth", "30 min", "come with the package"):
        assert part in text
    assert json.loads(good(command("submit", "--category", "cloth", "--dry-run", "--json")))["clips"] == 20
    assert service.jobs == {}


def test_watched_submission_that_completes_ends_with_0(service, command):
    service.steps = [{"clips_done": 5}, {"clips_done": 20, "state": "completed"}]
    result = command("submit", "--category", "cloth", "--clips", 20, "--watch")
    assert good(result) == (
        "job j1 completed; 20 of 20 clips in dataset cloth; 48 frames, 7.0 MB; after 1 min; "
        "3 refused and replaced (diverged 2, camera_inside 1)\n"
    )
    assert "20/20" in result.stderr
    assert "replaced 3: diverged 2, camera_inside 1" in result.stderr


def test_bar_shows_rate_and_time_to_the_end(service, command):
    service.steps = [{"clips_done": 5}, {"state": "failed", "reason": "cannot be sampled", "finished": None}]
    result = command(
        "submit", "--category", "cloth", "--clips", 20, "--watch", env={"FORCE_COLOR": "1", "COLUMNS": "200"}
    )
    assert result.exit_code == 1
    assert "120 clips/h, 10 min left (9 min to 12 min)" in result.stderr
    assert "cannot be sampled" in result.stdout


def test_watched_submission_as_json_lines(service, command):
    service.steps = [{"clips_done": 5}, {"clips_done": 20, "state": "completed"}]
    found = documents(command("submit", "--category", "cloth", "--clips", 20, "--watch", "--json"))
    assert [job["progress"]["clips_done"] for job in found] == [5, 20]
    assert documents(command("submit", "--json"))[0]["id"] == "j2"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_watched_job_that_does_not_complete_ends_with_1(service, command, state):
    good(command("submit"))
    service.jobs["j1"]["steps"] = [{"state": state}]
    assert command("watch", "j1").exit_code == 1


def test_given_up_episodes_end_with_1_and_are_told(service, command):
    service.steps = [{"clips_done": 15, "failed": 3, "state": "completed"}]
    service.failures = [FAILURE]
    result = command("submit", "--watch")
    assert result.exit_code == 1
    assert "given up: part 0, episode 7, after attempt 4: diverged: a corner left the room" in result.stdout
    assert "given up: 2 more" in result.stdout
    good(command("submit", "--json"))
    result = command("watch", "j2", "--json")
    assert result.exit_code == 1
    assert [json.loads(text)["state"] for text in result.stdout.splitlines()] == ["completed"]
    assert "given up: part 0" in result.stderr


def test_interrupt_leaves_the_job_and_ends_with_130(service, command, tmp_path):
    service.steps = [{"clips_done": 1}]
    code = "import typer; from simfactory.cli.submit import submit; typer.run(submit)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    while not service.asked("GET", "/v1/events"):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "`simfactory watch j1`" in err
    assert "`simfactory cancel j1`" in err
    assert "Traceback" not in err
    assert service.jobs["j1"]["state"] == "running"


def test_refusal_names_the_field(command):
    result = command("submit", "--category", "clothe")
    assert isinstance(result.exception, ServiceError)
    assert "/items/0/category: 'clothe' is unknown" in str(result.exception)


def test_jobs_are_listed(service, command):
    for tag in ("day", "night", "day"):
        good(command("submit", "--tag", tag, "--name", "[red]a\x1b[31m"))
    text = good(command("ls"))
    assert [row.split()[0] for row in text.splitlines()] == ["job", "j3", "j2", "j1"]
    assert "[red]a�[31m" in text, "names are neither markup nor control characters"
    assert [job["id"] for job in documents(command("ls", "--tag", "day", "--limit", 1, "--json"))] == ["j3"]
    assert documents(command("ls", "--job-state", "paused", "--json")) == []
    assert [job["id"] for job in documents(command("ls", "--limit", 0, "--json"))] == ["j3", "j2", "j1"]


@pytest.mark.parametrize(
    ("name", "state"), [("cancel", "cancelled"), ("pause", "paused"), ("resume", "running"), ("retry", "running")]
)
def test_jobs_are_acted_upon(command, name, state):
    good(command("submit"))
    good(command("submit"))
    assert good(command(name, "j1", "j2")).splitlines() == [f"{job} {state}; 0 of 5 clips" for job in ("j1", "j2")]
    assert [job["state"] for job in documents(command(name, "j1", "--json"))] == [state]


def test_job_is_shown_with_its_failures(service, command):
    service.steps = [{"failed": 1}]
    service.failures = [FAILURE]
    good(command("submit", "--name", "mine"))
    text = good(command("get", "j1"))
    for part in ("mine", "120 clips/h", "10 min (9 min to 12 min)", "3 (diverged 2, camera_inside 1)", "a corner left"):
        assert part in text
    found = json.loads(good(command("get", "j1", "--json")))
    assert (found["job"]["id"], found["failures"]) == ("j1", [FAILURE])
    assert "neither a job nor a clip" in str(command("get", "j9").exception)
    assert "simfactory export j1" in str(command("get", "j1", "--out", "x").exception)


def test_clip_is_shown_and_downloaded(command, tmp_path):
    clip = example_id(0)
    assert "rigid / example / single, split train" in good(command("get", clip))
    found = json.loads(good(command("get", clip, "--json")))
    assert found["clip"]["id"] == clip
    assert good(command("get", clip, "--out", tmp_path / "one")).strip() == str(tmp_path / "one" / f"{clip}.zarr")
    assert all((tmp_path / "one" / f"{clip}.zarr" / entry["path"]).is_file() for entry in found["files"])
    assert json.loads(good(command("get", clip, "--out", tmp_path / "one", "--json")))["path"].endswith(".zarr")


def test_clips_are_listed(command):
    assert len(good(command("clips")).splitlines()) == 4
    assert [clip["category"] for clip in documents(command("clips", "j1", "--category", "cloth", "--json"))] == [
        "cloth"
    ]
    assert len(documents(command("clips", "--dataset", "walls", "--limit", 2, "--json"))) == 2


def test_workers_are_listed_and_drained(service, command):
    text = good(command("workers"))
    for part in ("w1", "working", "here:7", "1/4", "2.0 GB"):
        assert part in text
    result = command("workers", "--drain", "w1", "--json")
    assert documents(result)[0]["name"] == "w1"
    assert len(service.asked("POST", "/v1/workers/w1:drain")) == 1


@pytest.mark.parametrize("source", ["walls", "j1"])
def test_export_of_a_dataset_or_job_is_sound(service, command, tmp_path, source):
    good(command("submit", "--dataset", "walls"))
    assert "3 clips of dataset walls in copy: 3 new" in good(command("export", source, "--out", "copy"))
    assert validate(tmp_path / "copy") == []
    found = json.loads(good(command("export", source, "--out", "copy", "--json")))
    assert found == {"source": source, "dataset": "walls", "out": "copy", "clips": 3, "fetched": 0, "bytes": 0}


def test_export_takes_a_version_or_a_part(command):
    assert "1 clips" in good(command("export", "walls", "--version", 1, "--out", "one"))
    assert "1 clips" in good(command("export", "walls", "--category", "cloth", "--out", "cloth"))
    assert "0 clips" in good(command("export", "walls", "--split", "test", "--out", "none"))
    assert "neither a dataset nor a job" in str(command("export", "nothing", "--out", "x").exception)
    assert "only datasets have versions" in str(command("export", "j1", "--version", 1, "--out", "x").exception)


def test_options_name_the_service(service, command, monkeypatch, tmp_path):
    monkeypatch.delenv("SIMFACTORY_URL")
    assert "simfactory up" in str(command("ls").exception)
    good(command("ls", "--url", service.url))
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "service.json").write_text(json.dumps({"url": service.url, "pid": 1}))
    good(command("ls", "--state", folder))


def test_faults_on_the_way_do_not_show(service, command):
    service.fail("POST", "/v1/jobs", Fault(lost=True), Fault(status=503, headers={"Retry-After": "0"}))
    assert good(command("submit")) == "j1\n"
    assert len(service.jobs) == 1

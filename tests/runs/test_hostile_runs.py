"""Folders that nobody wrote with RunLog: too long, malformed, linked, piped, many."""

import json
import os
import time
import tracemalloc

import pytest

from simfactory.errors import RunError
from simfactory.runs import MetricsReader, list_runs, read_picture, read_pictures, read_run

RECORD = {"name": "a", "kind": "sft", "started": 1.0, "heartbeat": 2.0}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def line(step, **values):
    return json.dumps({"step": step, "time": 0.0, "values": values}).encode() + b"\n"


def read(folder, content):
    (folder / "metrics.jsonl").write_bytes(content)
    reader = MetricsReader(folder)
    while not reader.read():
        pass
    return reader


def test_a_line_of_ten_megabytes_is_skipped_without_being_held(tmp_path):
    huge = b'{"step": 2, "values": {"x": "' + b"a" * 10_000_000 + b'"}}\n'
    (tmp_path / "metrics.jsonl").write_bytes(line(1, x=1.0) + huge + line(3, x=3.0))
    tracemalloc.start()
    reader = MetricsReader(tmp_path)
    reader.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reader.skipped == 1
    assert reader.curves["x"].points() == [(1, 1.0), (3, 3.0)]
    assert peak < 1_000_000


def test_an_endless_line_is_read_once(tmp_path):
    reader = read(tmp_path, line(1, x=1.0) + b"a" * 3_000_000)
    place = reader.place
    reader.read()
    assert reader.place == place
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(b"\n" + line(2, x=2.0))
    reader.read()
    assert (reader.skipped, reader.curves["x"].points()) == (1, [(1, 1.0), (2, 2.0)])


def test_what_is_no_number_makes_no_point(tmp_path):
    text = b"""{"step": 1, "time": 0, "values": {"x": NaN, "y": Infinity, "z": null, "w": 1e999, "v": true, "u": "1"}}
{"step": 2, "time": 0, "values": {"x": 2, "big": 1%s}}
""" % (b"0" * 400)
    reader = read(tmp_path, text)
    assert reader.curves["x"].points() == [(2, 2.0)]
    assert {name: curve.not_finite for name, curve in reader.curves.items()} == {
        "x": 1, "y": 1, "z": 1, "w": 1, "big": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "nonsense",
    [
        b"", b"[]", b"null", b"{", b'{"step": -1, "values": {}}', b'{"step": 1.5, "values": {}}',
        b'{"step": true, "values": {}}', b'{"step": 99999999999999999999, "values": {}}', b'{"step": 1, "values": []}',
        b"[" * 50_000, b'{"step": 1, "values": {"\\ud800": 1}}', b"\xff\xfe\x00", b'"' + b"\\u0000" * 9 + b'"',
    ],
)  # fmt: skip
def test_a_line_that_makes_no_sense_is_skipped_and_counted(tmp_path, nonsense):
    reader = read(tmp_path, line(1, x=1.0) + nonsense + b"\n" + line(2, x=2.0))
    assert reader.skipped == 1
    assert reader.curves["x"].points() == [(1, 1.0), (2, 2.0)]


def test_metrics_and_their_names_have_bounds(tmp_path):
    many = {f"m{number}": 1.0 for number in range(1000)}
    reader = read(tmp_path, line(1, **many) + line(2, **{"x" * 101: 1.0, "a\u0007": 1.0, "": 1.0}))
    assert len(reader.curves) == 200
    assert len(reader.left_out) == 200
    assert all(len(name) <= 100 for name in reader.curves)


def test_steps_that_go_back_and_forth_give_a_curve_in_order(tmp_path):
    reader = read(tmp_path, b"".join(line(step, x=float(step)) for step in [5, 3, 9, 9, 4, 10, 1, 2]))
    assert reader.curves["x"].points() == [(1, 1.0), (2, 2.0)]


def test_a_file_that_is_replaced_or_cut_is_read_anew(tmp_path):
    reader = read(tmp_path, line(1, x=1.0) + line(2, x=2.0))
    (tmp_path / "new").write_bytes(line(1, y=5.0))
    (tmp_path / "new").replace(tmp_path / "metrics.jsonl")
    reader.read()
    assert {name: curve.points() for name, curve in reader.curves.items()} == {"y": [(1, 5.0)]}
    os.truncate(tmp_path / "metrics.jsonl", 0)
    reader.read()
    assert reader.curves == {}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b"{" * 100_000, b"[" * 100_000, b"\xff", b"x" * ((1 << 20) + 1),
        json.dumps({**RECORD, "more": 1}).encode(), json.dumps({**RECORD, "heartbeat": 1e300}).encode(),
        json.dumps({**RECORD, "started": float("nan")}).encode(), json.dumps({**RECORD, "step": 2**60}).encode(),
        json.dumps({**RECORD, "name": "a" * 201}).encode(), json.dumps({**RECORD, "kind": "<b>"}).encode(),
        json.dumps({**RECORD, "state": "fine"}).encode(), json.dumps({**RECORD, "name": "\ud800"}).encode(),
        json.dumps({**RECORD, "format": 2}).encode(),
        b'{"name": "a", "kind": "sft", "started": 1, "heartbeat": 1, "config": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    ],
)  # fmt: skip
def test_a_record_that_is_none_is_refused_in_few_words(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_run(tmp_path)
    assert len(str(caught.value)) < 600


def test_links_and_pipes_are_not_opened(tmp_path):
    folder = tmp_path / "run"
    (folder / "images").mkdir(parents=True)
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG)
    (folder / "run.json").symlink_to(tmp_path / "outside.json")
    (tmp_path / "outside.json").write_text(json.dumps(RECORD))
    os.mkfifo(folder / "metrics.jsonl")
    names = [f"a-{number:09d}.png" for number in range(3)]
    entries = [{"file": name, "tag": "a", "step": 1} for name in names]
    (folder / "images.jsonl").write_text("".join(json.dumps(each) + "\n" for each in entries))
    (folder / "images" / names[0]).symlink_to(secret)
    (folder / "images" / names[1]).write_bytes(b"<svg onload=alert(1)>")
    for attempt in (lambda: read_run(folder), lambda: MetricsReader(folder).read()):
        with pytest.raises(RunError):
            attempt()
    for name in names:
        with pytest.raises(RunError):
            read_picture(folder, name)


@pytest.mark.parametrize("name", ["../run.json", "a-000000001.png/../../run.json", "b-000000009.png", "", "a\x00.png"])
def test_only_pictures_that_the_run_names_are_read(tmp_path, name):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a-000000001.png").write_bytes(PNG)
    (tmp_path / "images" / "b-000000009.png").write_bytes(PNG)
    lines = [{"file": "a-000000001.png", "tag": "a", "step": 1}, {"file": "../run.json", "tag": "a", "step": 1}]
    (tmp_path / "images.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines) + '{"file": "b-00')
    assert [each.file for each in read_pictures(tmp_path)] == ["a-000000001.png"]
    assert read_picture(tmp_path, "a-000000001.png") == PNG
    with pytest.raises(RunError):
        read_picture(tmp_path, name)


def test_pictures_behind_a_link_to_a_folder_are_not_read(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a-000000001.png").write_bytes(PNG)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "images").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "run" / "images.jsonl").write_text('{"file": "a-000000001.png", "tag": "a", "step": 1}\n')
    with pytest.raises(RunError):
        read_picture(tmp_path / "run", "a-000000001.png")


def test_ten_thousand_runs_are_listed_without_reading_them(tmp_path):
    now = time.time()
    for number in range(10_000):
        folder = tmp_path / f"run-{number}"
        folder.mkdir()
        (folder / "run.json").write_bytes(b"")  # nothing that could be read
        os.utime(folder / "run.json", (now, 1e9 + number))
    found = list_runs(tmp_path)
    assert len(found) == 10_000
    assert [name for _, name in found[:2]] == ["run-9999", "run-9998"]

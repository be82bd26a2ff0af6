"""Reports: the same table three times, escaped; what JSON cannot say; pictures by path."""

import json
from html.parser import HTMLParser

import pytest

from simfactory.errors import SpecError, StoreError
from training.evaluation import Interval, MetricRow, Report, ReportCurve, ReportPicture, write_report


def interval(mean, low, high):
    return Interval(mean=mean, low=low, high=high, level=0.95, clip_count=30)


ROWS = (
    MetricRow(
        name="warp L1, visible",
        unit="m",
        better="lower",
        floor=0.0125,
        values={"base": interval(0.5, 0.4, 0.6), "stage II": interval(0.25, 0.2, 0.3)},
    ),
    MetricRow(name="PSNR", unit="dB", better="higher", floor=None, values={"truth": interval(float("inf"), 1.0, 2.0)}),
)


class Cells(HTMLParser):
    """Collects the text of each row of every table, and the sources of images."""

    def __init__(self):
        super().__init__()
        self.rows, self.images, self.tags, self.inside = [], [], [], False

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.inside = tag in {"td", "th"}
        if tag == "tr":
            self.rows.append([])
        if self.inside:
            self.rows[-1].append("")
        if tag == "img":
            self.images.append(dict(attrs)["src"])

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def read(files):
    parser = Cells()
    parser.feed(files.html.read_text())
    return files.markdown.read_text(), json.loads(files.json.read_text()), parser


def test_all_three_say_the_same(tmp_path):
    files = write_report(Report(title="Trial", rows=ROWS, notes=["three seeds"]), tmp_path / "a")
    markdown, content, page = read(files)
    first = ["warp L1, visible [m] ↓", "0.0125", "0.5 [0.4, 0.6]", "0.25 [0.2, 0.3]", "–"]
    assert page.rows[0] == ["metric", "ground truth", "base", "stage II", "truth"]
    assert page.rows[1] == first
    assert "| " + " | ".join(first).replace("[", "\\[").replace("]", "\\]") + " |" in markdown.splitlines()
    assert content["rows"][0]["values"]["base"] == {
        "mean": 0.5,
        "low": 0.4,
        "high": 0.6,
        "level": 0.95,
        "clip_count": 30,
    }
    assert content["rows"][0]["floor"] == 0.0125
    assert content["notes"] == ["three seeds"]
    for text in (markdown, files.html.read_text()):
        assert "three seeds" in text
        assert "95 % bootstrap interval" in text
        assert "30 clips" in text


def test_numbers_that_json_does_not_know_are_named(tmp_path):
    _, content, page = read(write_report(Report(title="t", rows=ROWS), tmp_path))
    assert content["rows"][1]["values"]["truth"]["mean"] == "inf"
    assert content["rows"][1]["floor"] is None
    assert page.rows[2] == ["PSNR [dB] ↑", "–", "–", "–", "inf [1, 2]"]


def test_text_is_escaped(tmp_path):
    hostile = "<script>alert('x')</script> a|b *c* `d`\n# e"
    row = MetricRow(name=hostile, unit="1", better="lower", floor=0.0, values={hostile: interval(1.0, 1.0, 1.0)})
    markdown, content, page = read(write_report(Report(title=hostile, rows=[row], notes=[hostile]), tmp_path))
    assert "script" not in page.tags
    assert page.rows[0][2] == hostile
    assert "<script>" not in markdown
    table = [line for line in markdown.splitlines() if line.startswith("|")]
    assert [line.replace("\\|", "").count("|") for line in table] == [4, 4, 4]
    assert "# e" not in [line[:3] for line in markdown.splitlines()]
    assert content["title"] == hostile


def test_curves_are_small_tables(tmp_path):
    curve = ReportCurve(name="drift", x_name="frame", x=[0, "4 to 10 px"], series={"base": [0.5, float("nan")]})
    markdown, content, page = read(write_report(Report(title="t", rows=ROWS, curves=[curve]), tmp_path))
    assert page.rows[-2:] == [["0", "0.5"], ["4 to 10 px", "nan"]]
    assert "| frame | base |" in markdown
    assert content["curves"][0]["series"]["base"] == [0.5, "nan"]


def test_pictures_are_shown_where_they_lie(tmp_path):
    picture = tmp_path / "pictures" / "depth & flow.png"
    picture.parent.mkdir()
    picture.write_bytes(b"\x89PNG")
    report = Report(title="t", rows=ROWS, pictures=[ReportPicture(path=picture, caption="depth <predicted>")])
    markdown, content, page = read(write_report(report, tmp_path / "report"))
    assert page.images == ["../pictures/depth & flow.png"]
    assert "(<../pictures/depth & flow.png>)" in markdown
    assert content["pictures"] == [{"path": "../pictures/depth & flow.png", "caption": "depth <predicted>"}]


def test_a_report_that_would_lie_is_refused(tmp_path):
    with pytest.raises(SpecError, match="one row or more"):
        write_report(Report(title="t", rows=[]), tmp_path)
    with pytest.raises(StoreError, match=r"gone\.png"):
        write_report(
            Report(title="t", rows=ROWS, pictures=[ReportPicture(path=tmp_path / "gone.png", caption="")]), tmp_path
        )
    curve = ReportCurve(name="drift", x_name="frame", x=[0, 1], series={"base": [0.5]})
    with pytest.raises(SpecError, match="2 places; base"):
        write_report(Report(title="t", rows=ROWS, curves=[curve]), tmp_path)
    assert not list(tmp_path.iterdir())

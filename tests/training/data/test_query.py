import pytest

from simfactory.dataset import open_dataset
from simfactory.errors import SpecError, StoreError
from training.data import ClipQuery, open_source, select_clips


@pytest.mark.parametrize(
    ("query", "indices"),
    [
        (ClipQuery(), [0, 1, 2, 3, 4, 5]),
        (ClipQuery(tier=("two_body", "multi_object"), split=("train",)), [2, 3, 4]),
        (ClipQuery(category=("rigid",), scene=("test",), camera=("front",), backend=("mock",)), [0, 1, 2, 3, 4, 5]),
        (ClipQuery(source=("simulation",), split=("val",)), [5]),
        (ClipQuery(ranges={"gravity": (1.0, 2.0)}), [3]),
        (ClipQuery(ranges={"gravity": (9.0, 10.0), "frame_count": (13, 100), "index": (1, 9)}), [1, 2, 4]),
    ],
)
def test_queries_select_by_column_and_by_parameter(balls, query, indices):
    found = select_clips(open_dataset(balls), query)
    assert [row["index"] for row in found.rows()] == indices


def test_a_parameter_must_lie_in_the_range_for_all_things_that_have_it(balls):
    # Bodies and ground have density 500 and friction 0.5; a range that leaves one of them out leaves the clip out.
    inside = {"friction": (0.4, 0.6)}
    assert len(select_clips(open_dataset(balls), ClipQuery(ranges=inside))) == 6
    with pytest.raises(StoreError, match=r"no clip is friction 0.6:0.9; of its 6 clips there are friction: 0.5:0.5"):
        select_clips(open_dataset(balls), ClipQuery(ranges={"friction": (0.6, 0.9)}))


def test_an_empty_selection_says_what_there_is(balls):
    wanted = r"no clip is split test, tier single; of its 6 clips there are split: train \(5\), val \(1\); tier: "
    with pytest.raises(StoreError, match=wanted):
        open_source(balls, query=ClipQuery(tier=("single",), split=("test",)))
    with pytest.raises(StoreError, match=r"there are source: simulation \(6\); frame_count: 10:13"):
        select_clips(open_dataset(balls), ClipQuery(source=("video",), ranges={"frame_count": (20, 30)}))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tier": "single"}, r"give a tuple of names, \('single',\)"),
        (
            {"ranges": {"gravitation": (1.0, 2.0)}},
            "there is no 'gravitation' to select by; choose from frame_count, .*gravity",
        ),
        ({"ranges": {"fps": (2.0, 1.0)}}, "fps=2.0:1.0 is empty"),
    ],
)
def test_a_wrong_query_is_refused(wrong, said):
    with pytest.raises(SpecError, match=said):
        ClipQuery(**wrong)

"""Requests for broken physics: what stands beside it, and what each episode is made into."""

import pytest

from scenes.request import file_request, sampled_request, split_rules
from simfactory.errors import SpecError

OPTIONS = {"category": "rigid", "seed": 5, "frame_count": 8, "modalities": (), "views": 1}
RULES = split_rules("90/5/5", [])


def test_a_request_remembers_what_is_broken():
    request = sampled_request(3, OPTIONS, RULES, {}, violations=("gravity", "delay"))
    assert request.violations == ("gravity", "delay")
    assert request.record["broken"] == ["gravity", "delay"]
    assert len(request.specs) == 3
    assert "broken" not in sampled_request(3, OPTIONS, RULES, {}).record


def test_pairs_cannot_be_siblings_end_at_rest_or_come_from_a_file(tmp_path):
    for options, changes in (({**OPTIONS, "until_rest": True}, {}), (OPTIONS, {"gravity": (1.6, 9.8)})):
        with pytest.raises(SpecError, match="without --siblings and --until-rest"):
            sampled_request(3, options, RULES, {}, changes, violations=("gravity",))
    with pytest.raises(SpecError, match=r"broken.*for sampling"):
        file_request(tmp_path / "specs.json", RULES, ["broken"])

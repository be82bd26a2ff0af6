"""Training runs on disk: a folder a run, which whoever trains appends to and anybody may read meanwhile.

`run.json` (`simfactory.protocol.RunRecord`) says what the run is and how far it is; `metrics.jsonl` has one JSON object
a line; pictures lie under `images/`, and `images.jsonl` names them.
"""

from simfactory.runs.curves import Curve, MetricsReader
from simfactory.runs.log import RunLog
from simfactory.runs.reading import Picture, is_silent, list_runs, read_picture, read_pictures, read_run

__all__ = [
    "Curve",
    "MetricsReader",
    "Picture",
    "RunLog",
    "is_silent",
    "list_runs",
    "read_picture",
    "read_pictures",
    "read_run",
]

"""Training runs on disk: a folder a run, which whoever trains appends to and anybody may read meanwhile.

`run.json` says what the run is and how far it is; `metrics.jsonl` has one JSON object a line; pictures lie under
`images/`, and `images.jsonl` names them.
"""

from simfactory.runs.curves import Curve, MetricsReader
from simfactory.runs.log import RunLog
from simfactory.runs.reading import Picture, list_runs, read_picture, read_pictures, read_run
from simfactory.runs.record import DatasetReference, RunRecord, is_silent

__all__ = [
    "Curve",
    "DatasetReference",
    "MetricsReader",
    "Picture",
    "RunLog",
    "RunRecord",
    "is_silent",
    "list_runs",
    "read_picture",
    "read_pictures",
    "read_run",
]

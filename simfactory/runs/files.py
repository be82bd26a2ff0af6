"""What the files of a training run are called."""

import re

__all__ = [
    "IMAGES_FILE",
    "IMAGES_FOLDER",
    "METRICS_FILE",
    "METRIC_LENGTH",
    "PICTURE_NAME",
    "RECORD_FILE",
    "RUN_NAME",
]

RECORD_FILE, METRICS_FILE, IMAGES_FILE, IMAGES_FOLDER = "run.json", "metrics.jsonl", "images.jsonl", "images"
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
PICTURE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}-[0-9]{9,16}\.png")
METRIC_LENGTH = 100  # characters of a metric's name

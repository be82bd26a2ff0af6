"""Ordinary videos: which of their shots are worth training on, and labels for them."""

from training.videos.filters import Range, ShotFilter, choose_filters, filter_names
from training.videos.funnel import funnel_table
from training.videos.labelling import Labelling, label_videos
from training.videos.labels import Labeller
from training.videos.video import find_videos
from training.videos.wanted import Wanted

__all__ = [
    "Labeller",
    "Labelling",
    "Range",
    "ShotFilter",
    "Wanted",
    "choose_filters",
    "filter_names",
    "find_videos",
    "funnel_table",
    "label_videos",
]

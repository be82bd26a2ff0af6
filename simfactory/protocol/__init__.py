"""Wire schemas shared by the service, its client and whoever trains: what is asked for, and what is told.

JSON only: lists of fixed length instead of tuples, integers up to 2⁵³ − 1, times in seconds since the epoch.
"""

from simfactory.protocol.base import MAX_INT, ApiModel, Count
from simfactory.protocol.catalogue import AssetSet, Clip, ClipPage, Dataset, DatasetVersion, Scene
from simfactory.protocol.jobs import (
    Estimate,
    EstimatePart,
    Failure,
    Job,
    JobItem,
    JobPage,
    JobProgress,
    JobRequest,
    JobState,
    Priority,
)
from simfactory.protocol.messages import Event, Health, Problem, ProblemItem
from simfactory.protocol.runs import DatasetReference, RunRecord, RunState
from simfactory.protocol.workers import Slot, Span, Worker

__all__ = [
    "MAX_INT",
    "ApiModel",
    "AssetSet",
    "Clip",
    "ClipPage",
    "Count",
    "Dataset",
    "DatasetReference",
    "DatasetVersion",
    "Estimate",
    "EstimatePart",
    "Event",
    "Failure",
    "Health",
    "Job",
    "JobItem",
    "JobPage",
    "JobProgress",
    "JobRequest",
    "JobState",
    "Priority",
    "Problem",
    "ProblemItem",
    "RunRecord",
    "RunState",
    "Scene",
    "Slot",
    "Span",
    "Worker",
]

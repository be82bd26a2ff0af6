"""Quality: every episode is checked against physics and against itself before it is committed."""

from simfactory.quality.recording import ClipChecks
from simfactory.quality.report import QualityReport, episode_report, has_left
from simfactory.quality.stored import StoredClip, verify_clip
from simfactory.quality.thresholds import Thresholds

__all__ = ["ClipChecks", "QualityReport", "StoredClip", "Thresholds", "episode_report", "has_left", "verify_clip"]

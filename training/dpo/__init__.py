"""Preferences between clips and the same clips with broken physics (DPO)."""

from training.dpo.alarms import alarms
from training.dpo.objective import PreferenceObjective
from training.dpo.pairs import PairDataset, Pairs, open_pairs

__all__ = ["PairDataset", "Pairs", "PreferenceObjective", "alarms", "open_pairs"]

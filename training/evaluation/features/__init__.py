"""What turns a video into features; what lies in this folder is what there is: each file with an `EXTRACTOR`."""

from training.evaluation.features.base import FeatureExtractor, extractor_names, load_extractor

__all__ = ["FeatureExtractor", "extractor_names", "load_extractor"]

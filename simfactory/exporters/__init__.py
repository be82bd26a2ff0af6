"""Clips in other formats: one file here is one format, found by looking."""

from simfactory.exporters.base import Exporter, exporter_names, find_exporter

__all__ = ["Exporter", "exporter_names", "find_exporter"]

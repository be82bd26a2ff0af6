"""The label of a benchmark's recording."""

from typing import Literal

from pydantic import Field

from simfactory.spec.base import Model

__all__ = ["BenchmarkLabel"]


class BenchmarkLabel(Model):
    """Says how a recording of a benchmark scene is used: what a model is shown, and what it has to foresee."""

    take: Literal[1, 2] = Field(description="1 or 2: the same scene twice, as alike as it could be set up by hand")
    switch_frame: int = Field(ge=1, le=100_000, description="First frame that a model has to foresee, 1–100,000")

"""Wire schemas of what a job asked for beside what it delivered; the others are in `protocol`."""

from typing import Annotated

from pydantic import Field

from simfactory.protocol import MAX_INT, ApiModel

__all__ = ["BinCounts", "JobDistribution", "MatrixCell", "ParameterHistogram"]

Count = Annotated[int, Field(ge=0, le=MAX_INT)]


class MatrixCell(ApiModel):
    """Clips of one category and tier.

    Attributes:
        category: Physics category.
        tier: Curriculum tier.
        wanted: Clips asked for; of items that leave the tier open, what is to be expected.
        delivered: Clips committed.
    """

    category: str
    tier: str
    wanted: Count
    delivered: Count


class BinCounts(ApiModel):
    """How many values lie below a range, in each of its bins, and above it."""

    below: Count
    bins: list[Count]
    above: Count


class ParameterHistogram(ApiModel):
    """How the values of one randomized parameter are distributed.

    Attributes:
        name: Its name.
        unit: Unit of its values.
        logarithmic: Whether the bins are equally wide in the logarithm.
        edges: Ends of the bins, one more than there are bins: the range asked for, else the usual one.
        requested: Values of the episodes as first sampled.
        delivered: Values of the episodes that were committed.
    """

    name: str
    unit: str
    logarithmic: bool
    edges: list[float]
    requested: BinCounts
    delivered: BinCounts


class JobDistribution(ApiModel):
    """What a job asked for beside what it delivered: where they differ, the quality gate has a preference.

    Attributes:
        job: Id of the job.
        requested_units: Episodes, or groups of siblings, whose first attempts were handed out.
        delivered_units: Those of which an attempt was committed.
        cells: Clips by category and tier.
        parameters: Histograms of the parameters that these episodes have.
    """

    job: str
    requested_units: Count
    delivered_units: Count
    cells: list[MatrixCell]
    parameters: list[ParameterHistogram]

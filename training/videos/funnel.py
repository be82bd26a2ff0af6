"""The funnel: how many shots each filter dropped, with examples and thresholds, as JSON and as a table."""

import math
from collections.abc import Iterable, Sequence
from typing import cast

from simfactory.store import JSON
from training.videos.filters import ShotFilter
from training.videos.ledger import VideoRecord

__all__ = ["funnel_record", "funnel_table"]

_EXAMPLES = 3  # of each filter


def funnel_record(records: Iterable[VideoRecord], filters: Sequence[ShotFilter]) -> dict[str, JSON]:
    """Return the funnel as JSON.

    Args:
        records: Of all videos.
        filters: In the order in which they ran.

    Returns:
        `videos`, `unreadable` (name and problem of each), `shots`, `frames`, `filters` (each with the shots that
        reached it, those it dropped, its ranges, quantiles of its figures and examples), `kept`, `kept_frames`.
    """
    told = list(records)
    shots = [(record.name, verdict) for record in told for verdict in record.verdicts]
    rows: list[JSON] = []
    for each in filters:
        reached = [shot for shot in shots if each.ranges.keys() <= shot[1].figures.keys()]
        dropped = [shot for shot in reached if shot[1].filter == each.name]
        rows.append(
            {
                "filter": each.name,
                "drops": each.drops,
                "reached": len(reached),
                "dropped": len(dropped),
                "ranges": {name: [_finite(low), _finite(high)] for name, (low, high) in each.ranges.items()},
                "quantiles": {name: _quantiles([shot[1].figures[name] for shot in reached]) for name in each.ranges},
                "examples": [
                    {"video": name, "frames": [verdict.start, verdict.stop], "reason": verdict.reason}
                    for name, verdict in dropped[:_EXAMPLES]
                ],
            }
        )
    kept = [verdict for _, verdict in shots if verdict.kept]
    return {
        "videos": len(told),
        "unreadable": [{"video": record.name, "problem": record.problem} for record in told if record.problem],
        "shots": len(shots),
        "frames": sum(verdict.stop - verdict.start for _, verdict in shots),
        "filters": rows,
        "kept": len(kept),
        "kept_frames": sum(verdict.stop - verdict.start for verdict in kept),
    }


def funnel_table(funnel: dict[str, JSON]) -> str:
    """Return the funnel for people, one filter a line."""
    unreadable = cast("list[dict[str, str]]", funnel["unreadable"])
    lines = [f"{funnel['videos']} videos, {len(unreadable)} of them unreadable; {funnel['shots']} shots"]
    lines += [f"  unreadable  {each['problem']}" for each in unreadable[:_EXAMPLES]]
    lines.append(f"{'filter':<13}{'reached':>8}{'dropped':>9}  drops")
    for row in cast("list[dict[str, JSON]]", funnel["filters"]):
        lines.append(f"{row['filter']:<13}{row['reached']:>8}{row['dropped']:>9}  {row['drops']}")
        for example in cast("list[dict[str, JSON]]", row["examples"])[:1]:
            lines.append(f"{'':<32}e.g. {example['video']} {example['frames']}: {example['reason']}")
    lines.append(f"{funnel['kept']} shots kept, {funnel['kept_frames']} of {funnel['frames']} frames")
    return "\n".join(lines)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _quantiles(values: Sequence[float]) -> list[JSON]:
    """Return the least, the median and the greatest of the values that are numbers; empty if there is none."""
    numbers = sorted(value for value in values if not math.isnan(value))
    return [numbers[0], numbers[len(numbers) // 2], numbers[-1]] if numbers else []

"""`simfactory-train report`: several evaluations in one table, compared clip by clip."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["COMMAND"]


def report(
    runs: Annotated[list[Path], typer.Option(help="Folder with an eval.json, or RUN with RUN/eval; may be repeated.")],
    out: Annotated[Path, typer.Option(help="Folder of the report.")],
    first: Annotated[str, typer.Option(help="Column that others are compared with; default: the first.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
) -> None:
    """Join evaluations: one table, and the differences from one column, each pair on the same clips."""
    from training.evaluation.joining import joined
    from training.evaluation.report import Report, write_report
    from training.evaluation.result import EvalResult, difference_curve, metric_rows, result_curves

    results = {str(run): EvalResult.load(run) for run in runs}
    result = joined(results, first=first or None)
    difference = difference_curve(result, seed=seed)
    files = write_report(
        Report(
            title=result.title,
            rows=metric_rows(result, seed=seed),
            notes=result.notes,
            curves=[*([difference] if difference else []), *result_curves(result)],
        ),
        out,
    )
    result.save(out)
    typer.echo(f"{files.html}: {len(result.clips)} clips, {len(result.columns)} columns of {len(runs)} evaluations")


COMMAND = report

"""What a training run shows on the terminal: a bar over its steps, with the loss."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["StepProgress"]

AVERAGED = 0.9  # share of the shown loss that an earlier one keeps


class StepProgress:
    """Shows steps as they are taken; use it as a context manager.

    Args:
        steps: Steps in all.
    """

    def __init__(self, steps: int) -> None:
        self._bars = Progress(
            TextColumn("Training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]}", markup=False),
            console=Console(stderr=True),
        )
        self._task = self._bars.add_task("", total=steps, start=False, visible=False, loss="-")
        self._loss: float | None = None

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._bars.stop()

    def __call__(self, step: int, loss: float) -> None:
        """Show that a step was taken, and what it cost."""
        if self._loss is None:
            self._bars.start_task(self._task)
        self._loss = loss if self._loss is None else AVERAGED * self._loss + (1.0 - AVERAGED) * loss
        self._bars.update(self._task, completed=step, visible=True, loss=f"{self._loss:.4g}")

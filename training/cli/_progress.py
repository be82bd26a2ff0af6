"""What a training run shows on the terminal: a bar over its steps, with the loss or the reward."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["StepProgress"]

AVERAGED = 0.9  # share of what is shown that an earlier one keeps


class StepProgress:
    """Shows steps as they are taken; use it as a context manager.

    Args:
        steps: Steps in all.
        figure: What is told of each.
    """

    def __init__(self, steps: int, *, figure: str = "loss") -> None:
        self._bars = Progress(
            TextColumn("Training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn(figure + " {task.fields[told]}", markup=False),
            console=Console(stderr=True),
        )
        self._task = self._bars.add_task("", total=steps, start=False, visible=False, told="-")
        self._mean: float | None = None

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._bars.stop()

    def __call__(self, step: int, value: float) -> None:
        """Show that a step was taken, and what it cost or brought."""
        if self._mean is None:
            self._bars.start_task(self._task)
        self._mean = value if self._mean is None else AVERAGED * self._mean + (1.0 - AVERAGED) * value
        self._bars.update(self._task, completed=step, visible=True, told=f"{self._mean:.4g}")

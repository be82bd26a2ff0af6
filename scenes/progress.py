"""What a run shows on the terminal: kernel compilation apart, then a bar over frames."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["RunProgress"]


class RunProgress:
    """Shows a run's progress; use it as a context manager."""

    def __init__(self, console: Console) -> None:
        """Draw on a console."""
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._prepare = self._bars.add_task("Preparing kernels", total=None, start=False, visible=False)
        self._frames = self._bars.add_task("Recording frames", total=0, start=False, visible=False)

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._bars.stop()

    def planned(self, frames: int) -> None:
        """So many frames are still to be recorded in this round."""
        if not frames:
            return
        task = self._bars.tasks[self._frames]
        self._bars.update(self._frames, total=(task.total or 0) + frames)
        if not self._bars.tasks[self._prepare].finished:
            self._bars.update(self._prepare, visible=True)
            self._bars.start_task(self._prepare)

    def prepared(self, seconds: float) -> None:
        """Kernels are ready after a wall time [s]."""
        self._bars.update(self._prepare, total=1, completed=1, description=f"Kernels in {seconds:.1f} s")
        self._bars.update(self._frames, visible=True)
        self._bars.start_task(self._frames)

    def recorded(self, frames: int) -> None:
        """So many frames were just recorded."""
        self._bars.advance(self._frames, frames)

    def summarize(self, report: dict[str, object]) -> None:
        """Print what a run did and where it is."""
        refused = report["refused"]
        self._console.print(
            f"{report['clips']} clips, {report['added']} new"
            + (f", refused episodes by reason: {refused}" if refused else "")
        )
        losers = report.get("losers")
        for name, each in losers.items() if isinstance(losers, dict) else ():
            why = f", refused by reason: {each['refused']}" if each["refused"] else ""
            self._console.print(f"  broken {name}: {each['kept']} of {each['asked']} episodes{why}")
        labels = {"dataset": "dataset", "contact_sheet": "contact sheet", "preview": "preview"}
        for key, label in labels.items():
            if key in report:
                self._console.print(f"  {label:<14} {report[key]}", soft_wrap=True, highlight=False)

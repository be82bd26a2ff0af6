"""`simfactory-train ablate`: arms of a plan, trained alike but for one thing, and compared on held-out clips."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simfactory.errors import SpecError
from training.cli._options import Changes, changes_of

if TYPE_CHECKING:
    from training.experiment import StepCounts

__all__ = ["COMMAND"]


def ablate(
    sim: Annotated[str, typer.Option(help="Dataset of simulated clips; its split `train` is trained on.")],
    poor: Annotated[str, typer.Option(help="Dataset whose physics is wrong, for the first network.")],
    out: Annotated[Path, typer.Option(help="Folder of the experiment; what is finished in it is not done again.")],
    plan: Annotated[str, typer.Option(help="arms: Base, A, B, F, G; terms: all losses, and without each.")] = "arms",
    arm: Annotated[
        list[str] | None, typer.Option(help="Only these, and what they are compared with; may be repeated.")
    ] = None,
    test: Annotated[str, typer.Option(help="Dataset whose split `test` judges; default: --sim.")] = "",
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, …")] = 3,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    preset: Annotated[str, typer.Option(help="Preset of all stages.")] = "tiny",
    steps: Annotated[str, typer.Option(help="base=N,heads=N,tune=N: steps of the parts of every chain.")] = "",
    clips: Annotated[int, typer.Option(min=0, help="Test clips at most; 0 = all.")] = 0,
    sampling_steps: Annotated[int, typer.Option(min=1, help="Steps from noise to a clip.")] = 20,
    changes: Changes = None,
) -> None:
    """Train the arms of a plan with several seeds, judge them on held-out clips, and say what differs."""
    from training.experiment import Setting, arm_chains, find_plan, run_experiment, write_outcome

    chosen = find_plan(plan).chosen(tuple(arm or ()))
    told = {name: value for change in changes_of(changes) for name, value in change.items()}
    setting = Setting(
        data={"sim": sim, "poor": poor},
        test=test or sim,
        preset=preset,
        changes=told,
        steps=_steps(steps),
        seeds=tuple(range(seeds)),
        clip_limit=clips,
        sampling_steps=sampling_steps,
    )
    chains = arm_chains(chosen, setting, out)
    run_experiment(chains, setting, out, workers=workers, tell=typer.echo)
    files = write_outcome(chosen, setting, chains, out)
    typer.echo(f"{files.html}: {len(chosen.arms)} arms, {seeds} seed{'s' * (seeds > 1)}")


def _steps(text: str) -> "StepCounts":
    from training.experiment import StepCounts

    given: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.partition("=")
        if name.strip() not in ("base", "heads", "tune") or not number.strip().isdecimal():
            raise SpecError(f"--steps {text!r}: give base=N,heads=N,tune=N, or some of them")
        given[name.strip()] = int(number)
    return StepCounts(**given)


COMMAND = ablate

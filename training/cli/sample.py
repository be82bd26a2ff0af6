"""`simfactory-train sample`: videos that a model makes of a first frame, as clips of a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simfactory.errors import SpecError
from training.loading import loaded_model, read_picture, size_of

if TYPE_CHECKING:
    from training.model import ClipFormat, TrainedModel
    from training.sampled_clips import Prompt

__all__ = ["COMMAND"]


def sample(
    model: Annotated[str, typer.Option(help="RUN/model, a folder of diffusers, or the name of a repository.")],
    out: Annotated[Path, typer.Option(help="Dataset to write into; it is made if it is not there.")],
    image: Annotated[Path | None, typer.Option(help="First frame: a PNG or JPEG, scaled to cover and cut.")] = None,
    clip: Annotated[Path | None, typer.Option(help="Clip (….zarr) whose first frame and camera are taken.")] = None,
    prompt: Annotated[str | None, typer.Option(help="What happens; default: the clip's caption, or nothing.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Clips: seed, seed + 1, …")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="Steps from noise to the clip.")] = 30,
    guidance: Annotated[float, typer.Option(help="Above 1, the prompt counts more.")] = 1.0,
    shift: Annotated[float, typer.Option(help="Above 1, more of the steps are spent at high noise.")] = 5.0,
    geometry_time: Annotated[float, typer.Option(help="Time of the noise at which the heads read the clip.")] = 0.1,
    frames: Annotated[int, typer.Option(min=1, help="Frames, if the model does not say.")] = 17,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT, if the model does not say.")] = "64x64",
    fps: Annotated[float, typer.Option(min=0.1, help="Frames per second, if the model does not say.")] = 24.0,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …; auto: a GPU where there is one.")] = "auto",
) -> None:
    """Sample videos and write them as clips: colours, and what the model's heads say of depth, flow and 4D points."""
    from simfactory import catalog
    from simfactory.store import create_dataset
    from training.predicting import Sampling
    from training.sampled_clips import clip_format, model_digest, record_sample

    if (image is None) == (clip is None):
        raise SpecError("give one of --image and --clip: a video begins with a first frame")
    sampling = Sampling(step_count=steps, guidance=guidance, shift=shift, geometry_time=geometry_time)
    loaded = loaded_model(model, device)
    height, width = size_of(size)
    made = clip_format(loaded, frame_count=frames, height=height, width=width, fps=fps)
    begin = _prompt(image, clip, prompt, made)
    dataset = create_dataset(out)
    digest = model_digest(loaded)
    for number in range(seed, seed + count):
        found = record_sample(dataset, loaded, begin, digest=digest, clip=made, seed=number, sampling=sampling)
        typer.echo(f"seed {number}: {'is there already' if found is None else f'clip {found}'}")
    catalog.update(dataset)
    typer.echo(f"{out}: `simfactory preview {out}` shows a clip{_missing(loaded)}")


def _prompt(image: Path | None, clip: Path | None, text: str | None, made: "ClipFormat") -> "Prompt":
    from simfactory.dataset import open_clip
    from training.sampled_clips import prompt_of_clip, prompt_of_picture

    if image is not None:
        return prompt_of_picture(read_picture(image), text or "", clip=made)
    assert clip is not None
    return prompt_of_clip(open_clip(clip), clip=made, text=text)


def _missing(model: "TrainedModel") -> str:
    return "" if model.heads is not None else "; the model has no heads, so there is no depth, flow or point"


COMMAND = sample

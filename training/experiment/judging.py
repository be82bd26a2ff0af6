"""Judging of an arm's model on held-out clips, by the code of `simfactory-train eval`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from simfactory.dataset import Clip
from simfactory.errors import SpecError
from simfactory.parameters import PARAMETERS
from simfactory.spec import parse_spec
from simfactory.splits import HELD_OUT
from training.data import ClipQuery, Source, open_source
from training.evaluation.held_out import Estimators, Reader, evaluate_clips
from training.evaluation.result import EvalClip, EvalResult
from training.experiment.chain import TRAIN, ArmChain
from training.experiment.setting import Setting
from training.model import TrainedModel
from training.predicting import Sampling

__all__ = ["Judged", "clip_groups", "judge", "judged_models", "judged_result", "reader_of", "test_clips"]

ALL = "all"


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """An arm's model of one seed, and where its figures lie.

    Attributes:
        chain: The arm's runs.
        setting: Clips, and how videos are sampled.
        folder: Of the experiment.
        clips: Digest of the test clips.
    """

    chain: ArmChain
    setting: Setting
    folder: Path
    clips: str

    @property
    def name(self) -> str:
        """Arm and seed."""
        return f"{self.chain.arm.name}-seed{self.chain.seed}"

    @property
    def place(self) -> Path:
        """Folder of its figures: another one for another model, other clips or other sampling."""
        run = self.chain.runs[-1].folder.name.rpartition("-")[2]
        return self.folder / "figures" / f"{self.name}-{run}-{self.clips}-{self.setting.sampling_steps}"

    @property
    def is_done(self) -> bool:
        """Whether its figures are there."""
        return (self.place / "eval.json").is_file()


def judged_models(chains: Sequence[ArmChain], setting: Setting, folder: Path) -> tuple[Judged, ...]:
    """Return what is judged: the model of each arm and seed.

    Raises:
        StoreError: There are no test clips.
    """
    ids = "\n".join(sorted(test_clips(setting).dataset.ids))
    clips = hashlib.sha256(ids.encode()).hexdigest()[:10]
    return tuple(Judged(chain=chain, setting=setting, folder=folder, clips=clips) for chain in chains)


def judge(judged: Judged) -> Judged:
    """Measure a model on the test clips and keep the figures of each.

    Raises:
        SpecError: Clips and model do not fit.
        StoreError: There are no test clips, or they lack annotations.
    """
    model = TrainedModel.load(judged.chain.model)
    model.backbone.eval()
    if model.heads is None or model.clip is None:
        raise SpecError(f"{judged.chain.model}: the model of an arm has heads, and says which clips it makes")
    model.heads.eval()
    source, name = test_clips(judged.setting), judged.chain.arm.name
    found = evaluate_clips(
        {name: model}, source, clip=model.clip, reader=reader_of(judged.setting), seed=judged.chain.seed
    )
    result = EvalResult(
        title=judged.name,
        notes=[f"{judged.chain.arm.title}; seed {judged.chain.seed}"],
        clips=[each.scores for each in found],
    )
    result.save(judged.place)
    return judged


def judged_result(judged: Judged) -> dict[str, EvalClip]:
    """Return the figures of each test clip by its id."""
    return {clip.clip_id: clip for clip in EvalResult.load(judged.place).clips}


def reader_of(setting: Setting) -> Reader:
    """Return how geometry is read: by the heads of each model."""
    return Reader(
        geometry="heads",
        estimators=Estimators(depth=None, flow=None),
        sampling=Sampling(step_count=setting.sampling_steps),
    )


def test_clips(setting: Setting) -> Source:
    """Return the test clips that models are judged on.

    Raises:
        StoreError: There are none.
    """
    source = open_source(setting.test, query=ClipQuery(split=("test",), source=("simulation",)), name="test")
    ids, limit = source.dataset.ids, setting.clip_limit
    if not limit or limit >= len(ids):
        return source
    chosen = [ids[number * len(ids) // limit] for number in range(limit)]
    return replace(source, dataset=source.dataset.where(clip_id=[*chosen]))


def clip_groups(setting: Setting) -> dict[str, tuple[str, ...]]:
    """Return the ids of the test clips by what is new in them; a clip may be in several groups.

    Groups are `all`; `new scene`: its scene is none of the training clips'; `new range`: a parameter lies where only
    test clips have it, as `simfactory generate` holds it out; `known`: neither. Empty groups are left out.
    """
    known = set(open_source(setting.data["sim"], query=ClipQuery(split=(TRAIN,))).dataset.table["scene"].to_pylist())
    clips = list(test_clips(setting).dataset)
    scene = {clip.id for clip in clips if clip.spec["scene"] not in known}
    span = {clip.id for clip in clips if _is_new_range(clip)}
    groups = {
        ALL: [clip.id for clip in clips],
        "known": [clip.id for clip in clips if clip.id not in scene | span],
        "new scene": [clip.id for clip in clips if clip.id in scene],
        "new range": [clip.id for clip in clips if clip.id in span],
    }
    return {name: tuple(ids) for name, ids in groups.items() if ids}


def _is_new_range(clip: Clip) -> bool:
    spec = parse_spec(clip.spec)
    return any(
        low <= value <= high for name, (low, high) in HELD_OUT.items() for value in PARAMETERS[name].measure(spec)
    )

"""The whole configuration of a training run: data, model, losses, noise, optimisation, and what is written down."""

from dataclasses import dataclass, field
from typing import Literal, final

from simfactory.errors import SpecError
from training.data import ClipQuery, TimeOrder
from training.model import HeadsConfig
from training.rl_config import RLConfig

__all__ = [
    "Config",
    "DPOConfig",
    "DataConfig",
    "LogConfig",
    "LossConfig",
    "ModelConfig",
    "NoiseConfig",
    "OptimizerConfig",
    "SourceConfig",
    "StageName",
]

StageName = Literal["base", "pretrain", "sft", "rl", "dpo"]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class SourceConfig:
    """A dataset to draw windows from.

    Attributes:
        path: Its folder, or its `http(s)://` or `s3://` address.
        query: Which of its clips.
        weight: Share of the windows; none = each window once an epoch.
        may_lack: Modalities that its clips may be without, e.g. `camera` of real videos.
        order: Order of the frames: `forward`; or, in stage base, `reversed` or `frozen`, for videos whose physics is
            wrong.
    """

    path: str
    query: ClipQuery = field(default_factory=ClipQuery)
    weight: float | None = None
    may_lack: tuple[str, ...] = ()
    order: TimeOrder = "forward"

    def __post_init__(self) -> None:
        # JSON has lists only: equal configurations have equal queries, wherever they come from.
        query = ClipQuery(
            split=tuple(self.query.split),
            category=tuple(self.query.category),
            tier=tuple(self.query.tier),
            scene=tuple(self.query.scene),
            camera=tuple(self.query.camera),
            backend=tuple(self.query.backend),
            source=tuple(self.query.source),
            violation=tuple(self.query.violation),
            ranges=dict(self.query.ranges),
        )
        object.__setattr__(self, "query", query)


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig:
    """Which windows are trained on.

    Attributes:
        sources: The datasets.
        frames: Frames of a window.
        stride: Frames from one window's begin to the next one's.
        starts: `fixed`, or `random` begins.
        size: Height and width [px]; none = the clips' own.
        curriculum: `uniform`: all tiers alike; `tiers`: single, then two_body, then multi_object as well; `mixed`: all
            tiers equally often, however many clips each has.
        curriculum_windows: Windows of the first two stages of `tiers`.
        mixed_fps: Whether clips may differ in frame rate.
        track_limit: Most tracks of a window.
        workers: Processes that read ahead.
        cache: Folder for encoded windows; none = they are encoded each time. With it, windows begin at fixed frames,
            and no worker reads ahead.
        cache_bytes: Most that is kept there [bytes].
    """

    sources: tuple[SourceConfig, ...] = ()
    frames: int = 9
    stride: int = 4
    starts: Literal["fixed", "random"] = "fixed"
    size: tuple[int, int] | None = None
    curriculum: Literal["uniform", "tiers", "mixed"] = "uniform"
    curriculum_windows: tuple[int, int] = (2000, 4000)
    mixed_fps: bool = False
    track_limit: int = 256
    workers: int = 0
    cache: str | None = None
    cache_bytes: int = 100_000_000_000

    def __post_init__(self) -> None:
        if self.cache is not None and self.starts != "fixed":
            raise SpecError("data.cache with data.starts=random: random windows seldom come twice; take fixed ones")


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """What is trained.

    Attributes:
        start: What training begins with: a model's folder, a diffusers pipeline's folder or repository, or `micro`,
            `tiny` or `small` for a new embedded model.
        lora_rank: Rank of the adapter; 0 = all weights of the network are trained. A model that has an adapter goes on
            with it, and this is its rank.
        lora_alpha: α of the adapter; none = its rank.
        lora_targets: Ends of the names of the layers that get an adapter; none = the backbone's own list.
        weights: Type of the network's weights; an adapter is float32 always.
        recompute: Recompute activations in the backward pass, for less memory.
        seed: Of the first weights of a new model, adapter and projections.
    """

    start: str = "micro"
    lora_rank: int = 32
    lora_alpha: float | None = None
    lora_targets: tuple[str, ...] = ()
    weights: Literal["float32", "bfloat16"] = "float32"
    recompute: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.lora_rank < 0:
            raise SpecError(f"model.lora_rank={self.lora_rank}; give 1 or more, or 0 to train all weights")
        if self.lora_rank == 0 and self.weights != "float32":
            raise SpecError(
                "model.weights=bfloat16 with model.lora_rank=0: small steps would be rounded away; choose 1"
            )


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class LossConfig:
    """Weights of the losses, and their kinds; a weight of 0 switches a loss off, and it costs nothing.

    Attributes:
        flow_matching: Of the velocity (base, sft); of that of intact clips, beside the preference (dpo).
        depth: Of the depth head.
        flow: Of the motion head's (du, dv).
        depth_change: Of the motion head's dz.
        visibility: Of the motion head's visibility.
        warp: That depth agrees with motion.
        rgb: That the clip's colours agree with the predicted motion.
        pixel: That features follow the tracks (PhysisForcing).
        semantic: That features resemble each other as the teacher's do (PhysisForcing).
        warp_mode: `corrected` by the change of depth, or as in the `paper`.
        warp_change: Whose change of depth corrects: the motion head's, or the truth's.
        per_instance: Every object weighs the same, however few pixels it covers.
        region_mask: Whether alignment looks at what moves near the camera only.
        alignment_block: Whose features are aligned; none = block 15 of deep networks, the middle one of others.
        teacher: Whose relations `semantic` wants: the simulator's state.
    """

    flow_matching: float = 1.0
    depth: float = 0.1
    flow: float = 0.1
    depth_change: float = 0.1
    visibility: float = 0.01
    warp: float = 0.1
    rgb: float = 0.05
    pixel: float = 0.0
    semantic: float = 0.0
    warp_mode: Literal["corrected", "paper"] = "corrected"
    warp_change: Literal["predicted", "truth"] = "predicted"
    per_instance: bool = True
    region_mask: bool = True
    alignment_block: int | None = None
    teacher: Literal["sim_state"] = "sim_state"

    def __post_init__(self) -> None:
        wrong = {name: value for name, value in self.weights().items() if not 0.0 <= value < float("inf")}
        if wrong:
            raise SpecError(f"weights of losses {wrong}; give finite ones of 0 or more")
        if self.warp and not (self.depth and self.flow):
            raise SpecError(
                f"losses.warp={self.warp} with depth={self.depth} and flow={self.flow}: it is least where everything "
                "is flat and stands still; give depth and flow weights, or set losses.warp=0"
            )

    def weights(self) -> dict[str, float]:
        """Return the weight of each loss by name."""
        names = ("flow_matching", *_HEAD_LOSSES, "pixel", "semantic")
        return {name: float(getattr(self, name)) for name in names}

    @property
    def needs_heads(self) -> bool:
        """Whether a loss looks at what the heads say."""
        return any(getattr(self, name) for name in _HEAD_LOSSES)


_HEAD_LOSSES = ("depth", "flow", "depth_change", "visibility", "warp", "rgb")


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseConfig:
    """How clips are noised and conditioned.

    Attributes:
        lowest: t_hi: times are drawn from [t_hi, 1].
        shift: Above 1, more of the times are near noise.
        power: k: without a shift times have the density k t^(k - 1); above 1, few are near data. At 3 the loss weighs
            errors of the clip alike at all times.
        first_frame: Share of the steps in which the first frame is given.
        text_dropout: Share of the clips whose caption is left out.
    """

    lowest: float = 0.5
    shift: float = 1.0
    power: float = 1.0
    first_frame: float = 0.9
    text_dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in ("first_frame", "text_dropout"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SpecError(f"noise.{name}={getattr(self, name)}; a share lies in 0 … 1")
        if not 0.0 <= self.lowest < 1.0 or not self.shift > 0.0 or not self.power > 0.0:
            raise SpecError(
                f"noise.lowest={self.lowest}, shift={self.shift}, power={self.power}; give 0 <= lowest < 1, a positive "
                "shift and a positive power"
            )


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class DPOConfig:
    """How preferences between intact and broken physics are learned.

    Attributes:
        beta: β: how much a difference of errors counts; above, the model stays nearer to the one it began with.
        patience: Steps after which a share of preferred intact clips that is still near a half is told as an alarm.
    """

    beta: float = 2000.0
    patience: int = 100

    def __post_init__(self) -> None:
        if not 0.0 <= self.beta < float("inf") or self.patience < 0:
            raise SpecError(f"dpo.beta={self.beta}, patience={self.patience}; give finite numbers of 0 or more")


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class OptimizerConfig:
    """Steps, and how weights follow gradients (AdamW).

    Attributes:
        steps: Steps in all.
        batch: Clips of a step in one process.
        rate: Learning rate of the network.
        heads_rate: Learning rate of heads and projections.
        warm_up: Steps until the rate is reached, in a straight line.
        decay: `constant`, or `cosine` to a tenth at the last step.
        weight_decay: Of AdamW.
        clip: Largest norm of the gradient.
    """

    steps: int = 1000
    batch: int = 4
    rate: float = 1e-4
    heads_rate: float = 1e-3
    warm_up: int = 50
    decay: Literal["constant", "cosine"] = "constant"
    weight_decay: float = 0.01
    clip: float = 1.0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.warm_up < 0 or not self.clip > 0:
            raise SpecError(
                f"optimizer.steps={self.steps}, batch={self.batch}, warm_up={self.warm_up}, clip={self.clip}; give 1 "
                "or more steps and clips, 0 or more steps of warm-up, and a positive norm"
            )


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class LogConfig:
    """What a run writes down, in steps.

    Attributes:
        metrics_every: Steps between lines of metrics.
        picture_every: Steps between pictures; 0 = none.
        checkpoint_every: Steps between checkpoints.
        checkpoints_kept: Checkpoints that are kept, the last ones.
    """

    metrics_every: int = 10
    picture_every: int = 200
    checkpoint_every: int = 200
    checkpoints_kept: int = 2

    def __post_init__(self) -> None:
        if min(self.metrics_every, self.checkpoint_every, self.checkpoints_kept) < 1 or self.picture_every < 0:
            raise SpecError("log: metrics_every, checkpoint_every and checkpoints_kept are 1 or more, picture_every 0")


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """A training run.

    Attributes:
        stage: `base`: the network by flow matching; `pretrain`: heads on a frozen network; `sft`: both; `rl`: the
            network by rewards; `dpo`: the network by preferences between intact and broken physics.
        data: Which windows.
        model: What is trained.
        heads: What new heads are like.
        losses: Weights of the losses.
        noise: How clips are noised.
        dpo: How preferences are learned.
        optimizer: Steps and rates.
        rl: Sampling, rewards and policy of stage `rl`.
        log: What is written down.
        seed: Of the order of windows and of all noise.
        precision: What is computed in; weights and their sums stay float32 unless `model.weights` says otherwise.
        device: `auto` = a GPU if there is one; or `cpu`.
    """

    stage: StageName
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    heads: HeadsConfig = field(default_factory=HeadsConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    dpo: DPOConfig = field(default_factory=DPOConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    rl: RLConfig = field(default_factory=RLConfig)
    log: LogConfig = field(default_factory=LogConfig)
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    device: Literal["auto", "cpu"] = "auto"

    def __post_init__(self) -> None:
        losses = self.losses
        if self.stage != "dpo" and not any(losses.weights().values()):
            raise SpecError("all losses have weight 0: nothing would be trained; give one a positive weight")
        if self.stage == "pretrain" and (losses.flow_matching or losses.pixel or losses.semantic):
            raise SpecError(
                "pretrain trains heads on a frozen network: set losses.flow_matching, pixel and semantic to 0, or run "
                "sft, which trains both"
            )
        if self.stage == "dpo":
            self._check_preferences()
        if self.stage == "base" and losses.needs_heads:
            raise SpecError("base trains no heads: set the losses of heads to 0, or run pretrain or sft")
        if self.model.weights == "bfloat16" and self.precision != "bfloat16":
            raise SpecError("model.weights=bfloat16 needs precision=bfloat16: adapter and heads are float32")
        if self.stage == "pretrain" and not losses.needs_heads:
            raise SpecError("pretrain without a loss of the heads: give losses.depth or losses.flow a weight")
        if self.stage == "rl" and (losses.pixel or losses.semantic):
            raise SpecError("rl aligns no features: set losses.pixel and losses.semantic to 0")

    def _check_preferences(self) -> None:
        losses, data = self.losses, self.data
        if losses.needs_heads or losses.pixel or losses.semantic:
            raise SpecError("dpo trains the network alone: set all losses but flow_matching to 0, as the presets do")
        if data.cache is not None or any(source.order != "forward" for source in data.sources):
            raise SpecError("dpo reads windows of two clips, forwards: leave data.cache and the order of sources out")

"""Plans of an experiment as data: its arms, what each is compared with, and the stages that each goes through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, final, get_args

from simfactory.errors import SpecError
from training.config import StageName

__all__ = ["PLANS", "Arm", "ArmStage", "DataName", "Part", "Plan", "find_plan"]

DataName = Literal["poor", "sim"]
Part = Literal["base", "heads", "tune"]

# Any: JSON, the values of a configuration.
Changes = Mapping[str, Any]


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class ArmStage:
    """One training run of an arm; it begins with the model of the stage before.

    Attributes:
        stage: What is trained.
        data: On which clips: `sim`, or `poor`, whose physics is wrong.
        parts: Whose steps it takes: those of the first network (base), of heads (heads), of the change that is
            compared (tune). Every arm takes each part once.
        changes: Dotted name of the configuration → value.
    """

    stage: StageName
    data: DataName
    parts: tuple[Part, ...]
    changes: Changes = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", dict(self.changes))  # a view of one does not travel to other processes


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One way to train.

    Attributes:
        name: A short word.
        title: What it is, in a few words.
        against: The arm that it is compared with; None = it is where comparisons begin.
        stages: In order.
    """

    name: str
    title: str
    against: str | None
    stages: tuple[ArmStage, ...]

    def __post_init__(self) -> None:
        taken = sorted(part for stage in self.stages for part in stage.parts)
        if taken != sorted(get_args(Part)):
            raise SpecError(
                f"arm {self.name!r} takes the steps of {', '.join(taken) or 'nothing'}; each arm takes those of "
                f"{', '.join(get_args(Part))} once, so that all take equally many"
            )


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Arms that are compared with each other.

    Attributes:
        name: A short word.
        arms: By order; an arm is compared with an earlier one.
    """

    name: str
    arms: tuple[Arm, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for arm in self.arms:
            if arm.name in seen or (arm.against is not None and arm.against not in seen):
                raise SpecError(
                    f"plan {self.name!r}: arm {arm.name!r} against {arm.against!r}; names are unique, and an arm is "
                    f"compared with one of those before it: {', '.join(sorted(seen)) or 'none yet'}"
                )
            seen.add(arm.name)

    def chosen(self, names: tuple[str, ...]) -> "Plan":
        """Return the plan with only these arms and those that they are compared with; all of them for no names.

        Raises:
            SpecError: There is no arm of a name.
        """
        arms = {arm.name: arm for arm in self.arms}
        if unknown := sorted(set(names) - arms.keys()):
            raise SpecError(f"plan {self.name!r} has no arms {', '.join(unknown)}; choose from {', '.join(arms)}")
        kept, wanted = set[str](), list(names)
        while wanted:
            arm = arms[wanted.pop()]
            kept.add(arm.name)
            if arm.against is not None:
                wanted.append(arm.against)
        return Plan(name=self.name, arms=tuple(arm for arm in self.arms if not names or arm.name in kept))


FIRST = ArmStage(stage="base", data="poor", parts=("base",))
HEADS = ArmStage(stage="pretrain", data="sim", parts=("heads",))
MOTION = ("losses.flow", "losses.depth_change", "losses.visibility", "losses.warp", "losses.rgb")
PHYSIS_FORCING: Changes = MappingProxyType({"losses.pixel": 0.1, "losses.semantic": 0.5})


def _flow_matching(data: DataName) -> tuple[ArmStage, ...]:
    """Return the stages of an arm whose network learns from colours alone; heads are trained on it when it is done."""
    return (FIRST, ArmStage(stage="base", data=data, parts=("tune",)), HEADS)


def _stage_two(changes: Changes = MappingProxyType({})) -> tuple[ArmStage, ...]:
    return (FIRST, HEADS, ArmStage(stage="sft", data="sim", parts=("tune",), changes=changes))


def _without(name: str, title: str, changes: Changes, *, against: str = "full") -> Arm:
    return Arm(name=name, title=title, against=against, stages=_stage_two({**PHYSIS_FORCING, **changes}))


_ARMS = Plan(
    name="arms",
    arms=(
        Arm(name="Base", title="flow matching on physics-poor clips", against=None, stages=_flow_matching("poor")),
        Arm(
            name="A", title="Base, then flow matching on simulated clips", against="Base", stages=_flow_matching("sim")
        ),
        Arm(name="B", title="as A with the losses of stage II, heads first", against="A", stages=_stage_two()),
        Arm(
            name="F",
            title="as B with the paper's warp",
            against="B",
            stages=_stage_two({"losses.warp_mode": "paper"}),
        ),
        Arm(name="G", title="as B with PhysisForcing's losses", against="B", stages=_stage_two(PHYSIS_FORCING)),
    ),
)
# What needs depth or flow goes with it: warping has a trivial minimum without them.
_TERMS = Plan(
    name="terms",
    arms=(
        Arm(name="full", title="all losses", against=None, stages=_stage_two(PHYSIS_FORCING)),
        _without("no_warp", "without warp", {"losses.warp": 0}),
        _without("no_depth", "without warp and depth", {"losses.warp": 0, "losses.depth": 0}, against="no_warp"),
        _without("no_rgb", "without the warp of colours", {"losses.rgb": 0}),
        _without(
            "no_motion",
            "without motion, and what is warped by it",
            dict.fromkeys(("losses.flow", "losses.depth_change", "losses.visibility", "losses.warp", "losses.rgb"), 0),
        ),
        Arm(
            name="no_stage_1",
            title="without stage I: its steps are stage II's",
            against="full",
            stages=(FIRST, ArmStage(stage="sft", data="sim", parts=("heads", "tune"), changes=PHYSIS_FORCING)),
        ),
        _without("high_noise", "times from the window [0.5, 1] only", {"noise.lowest": 0.5}),
        _without("no_pixel", "without pixel alignment", {"losses.pixel": 0}),
        _without("no_semantic", "without semantic alignment", {"losses.semantic": 0}),
        _without("no_region", "alignment everywhere, not where it moves", {"losses.region_mask": False}),
        # The middle one of the two blocks of `micro`, which is aligned else, is block 0.
        _without("block_1", "alignment of block 1", {"losses.alignment_block": 1}),
    ),
)
PLANS: Mapping[str, Plan] = MappingProxyType({plan.name: plan for plan in (_ARMS, _TERMS)})


def find_plan(name: str) -> Plan:
    """Return a plan by name.

    Raises:
        SpecError: There is none of this name.
    """
    if name not in PLANS:
        raise SpecError(f"there is no plan {name!r}; choose one of {', '.join(PLANS)}")
    return PLANS[name]

"""The conformance suite of annotations: subclass it, say which one, and run it with pytest."""

from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from simfactory.annotations import Annotation, Arrays, FrameContext
from simfactory.signals import Signal
from simfactory.spec import MotionLinear, SceneSpec, Sensors
from simfactory.store import PROFILES
from simfactory.store.precision import Quantiser
from simfactory.store.shapes import check_names
from simfactory.testing.ground_truth import Oracle, WorldMotion, mock_trajectory, oracle_contexts, record
from simfactory.testing.specs import make_body, make_camera, make_sheet, make_spec

__all__ = ["AnnotationContract"]

SIZES = {"uv": 2, "xyz": 3, "xyzt": 4, "quat_xyzw": 4, "channel": 3}


class AnnotationContract:
    """What every annotation promises; a test class subclasses it.

    Frames come from the oracle, so neither a renderer nor a physics engine is needed.

    Example:
        class TestDepth(AnnotationContract):
            annotation = ANNOTATION

    Attributes:
        annotation: The annotation.
    """

    annotation: ClassVar[Annotation]

    @pytest.fixture
    def contexts(self) -> list[FrameContext]:
        """Four frames of a scene with everything: a falling, a pushed and a deforming body, a moving camera."""
        return _contexts(4)

    def test_signals_can_be_stored_together(self) -> None:
        """Names and axes are ones that the store takes, below the annotation's own name."""
        check_names(self.annotation.signals)
        names = {signal.name.split("/")[0] for signal in self.annotation.signals}
        assert names == {self.annotation.name}

    def test_signals_are_described(self) -> None:
        """Every signal has a unit and a sentence."""
        for signal in self.annotation.signals:
            assert signal.unit
            assert signal.description.endswith(".")

    def test_every_signal_comes_once(self, contexts: list[FrameContext]) -> None:
        """Frames and clip together yield each signal, none twice, and nothing else."""
        by_frame = self._by_frame(contexts[0])
        by_clip = self.annotation.clip(contexts[0].clip) if self.annotation.clip else {}
        assert not by_frame.keys() & by_clip.keys()
        assert by_frame.keys() | by_clip.keys() == {signal.name for signal in self.annotation.signals}
        assert all(signal.ragged <= (signal.name in by_frame) for signal in self.annotation.signals)

    @pytest.mark.parametrize("frame_count", [1, 4])
    def test_arrays_have_the_signals_shapes_and_types(self, frame_count: int) -> None:
        """Axes of one name have one size, and types are exactly those of the signals; also in a clip of one frame."""
        arrays = record(_contexts(frame_count), [self.annotation])
        sizes = {**SIZES, "time": frame_count, "y": 24, "x": 32, "body": 3}
        for signal in self.annotation.signals:
            array = arrays[signal.name]
            assert array.dtype == np.dtype(signal.dtype), signal.name
            assert array.ndim == len(signal.dims), signal.name
            for axis, size in zip(signal.dims, array.shape, strict=True):
                if axis not in ("row", "column", "world", "camera", "uvw"):
                    assert sizes.setdefault(axis, size) == size, f"{signal.name}: {axis}"

    @pytest.mark.parametrize("profile", PROFILES)
    def test_every_value_can_be_stored(self, profile: str, contexts: list[FrameContext]) -> None:
        """Only the stated missing value is not finite, and stored values are within half a step."""
        for signal in self.annotation.signals:
            array = record(contexts, [self.annotation])[signal.name]
            quantiser = Quantiser(signal, profile="portable" if profile == "portable" else "archive")
            stored = np.zeros(array.shape, quantiser.encoding.stored)
            assert quantiser.encode(array, stored) is None, f"{signal.name} saturates"
            _assert_close(signal, array, quantiser.encoding.decode(stored), scale=quantiser.encoding.scale)

    def test_is_deterministic_and_changes_nothing(self, contexts: list[FrameContext]) -> None:
        """The same frames yield the same arrays, and stay as they were."""
        surface = contexts[1].surface
        before = [array.copy() for array in (surface.depth, surface.instance, surface.bary, surface.normal)]
        first, second = record(contexts, [self.annotation]), record(contexts, [self.annotation])
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name])
        for kept, now in zip(before, (surface.depth, surface.instance, surface.bary, surface.normal), strict=True):
            np.testing.assert_array_equal(kept, now)

    def test_reads_only_what_it_says_it_needs(self, contexts: list[FrameContext]) -> None:
        """Costly inputs that `needs` does not name may be absent."""
        context = contexts[1]
        poor = FrameContext(
            frame=1,
            clip=context.clip,
            rgb=context.rgb if "rgb" in self.annotation.needs else None,
            surface=context.surface,
            forward=context.forward if "forward" in self.annotation.needs else None,
            backward=context.backward if "backward" in self.annotation.needs else None,
        )
        expected = self._by_frame(context)
        for name, array in self._by_frame(poor).items():
            np.testing.assert_array_equal(array, expected[name])

    def _by_frame(self, context: FrameContext) -> Arrays:
        return self.annotation.frame(context) if self.annotation.frame else {}


def _scene(*, frame_count: int) -> SceneSpec:
    return make_spec(
        bodies=[
            make_body("falling", position=(0.0, 0.0, 1.0), angular_velocity=(1.0, 2.0, 3.0)),
            make_body("driven", position=(0.5, 0.5, 0.4), mobility="kinematic"),
            make_sheet(position=(-0.6, 0.3, 0.5)),
        ],
        motions=[MotionLinear(body="driven", velocity=(-1.0, 0.0, 0.0))],
        cameras=[make_camera(size=(32, 24), orbit_rate=0.5)],
        frame_count=frame_count,
        sensors=Sensors(track_spacing=4, point_stride=2),
    )


@cache
def _contexts(frame_count: int) -> list[FrameContext]:
    spec = _scene(frame_count=frame_count)
    oracle = Oracle(spec, spec.cameras[0], WorldMotion.closed_form(spec))
    return oracle_contexts(oracle, mock_trajectory(spec))


def _assert_close(
    signal: Signal, array: npt.NDArray[np.generic], stored: npt.NDArray[np.generic], *, scale: float | None
) -> None:
    if array.dtype.kind != "f":
        np.testing.assert_array_equal(array, stored)
    elif scale is not None:
        np.testing.assert_allclose(stored.astype(np.float64), array.astype(np.float64), rtol=1e-6, atol=scale / 2)
    else:
        rounding = 1e-3 if signal.precision.dtype == "float16" else 0.0
        np.testing.assert_allclose(stored.astype(np.float64), array.astype(np.float64), rtol=rounding)

"""What may be loaded: the checks that every backend makes before it builds anything."""

from collections.abc import Sequence

from simfactory.errors import BackendUnavailable, SpecError, UnsupportedBody
from simfactory.simulators import backend_class, backend_names
from simfactory.simulators.base import Simulator
from simfactory.spec import SceneSpec

__all__ = ["check_loadable"]


def check_loadable(simulator: Simulator, specs: Sequence[SceneSpec]) -> None:
    """Check that a backend can load these scenes together.

    Raises:
        SpecError: There are no specs, or their signatures differ.
        UnsupportedBody: A spec holds a kind of body, joint or flow of air that the backend does not simulate; names
            those that do.
    """
    if not specs:
        raise SpecError("load needs at least one scene spec, got none")
    for spec in specs:
        for body in spec.bodies:
            if not simulator.supports(body.kind):
                raise UnsupportedBody(_unsupported(simulator.name, f"body {body.name!r}", body.kind))
        for joint in spec.joints:
            if not simulator.supports(joint.kind):
                raise UnsupportedBody(_unsupported(simulator.name, f"joint {joint.name!r}", joint.kind))
        for number, flow in enumerate(spec.environment.flows):
            if not simulator.supports(flow.kind):
                raise UnsupportedBody(_unsupported(simulator.name, f"air in environment.flows.{number}", flow.kind))
    signatures = [simulator.signature(spec) for spec in specs]
    for index, signature in enumerate(signatures):
        if signature != signatures[0]:
            raise SpecError(
                f"specs loaded together need equal signatures: specs[0] has {signatures[0]}, specs[{index}] has "
                f"{signature}; group them by {simulator.name}.signature(spec), i.e. give them equal fps and substeps"
            )


def _unsupported(backend: str, what: str, kind: str) -> str:
    able, absent = [], []
    for name in backend_names():
        try:
            if backend_class(name).supports(kind):
                able.append(name)
        except BackendUnavailable:
            absent.append(name)
    message = f"{backend!r} does not simulate {what} of kind {kind!r}; "
    message += f"backends that do: {', '.join(able)}" if able else "no backend installed here does"
    return message + (f" (not installed here, so not asked: {', '.join(absent)})" if absent else "")

"""The exception tree: everything the project raises on purpose.

    SimfactoryError
    ├── SpecError              a scene spec or request breaks a rule (also a ValueError)
    ├── AssetError             a mesh, texture or map is missing or unreadable
    ├── BackendError           a simulator backend cannot do what was asked
    │   ├── BackendUnavailable its packages are not installed
    │   └── UnsupportedBody    it does not simulate this body kind
    ├── SimulationError        a simulation left its valid range
    ├── ResourceError          the request does not fit into memory or onto the disk
    │   └── DiskFull           the disk is full now
    ├── StoreError             a dataset or clip cannot be read or written
    │   ├── ClipNotFound       no committed clip has this id
    │   └── CorruptClip        stored bytes differ from their commit record
    ├── RunError               a training run cannot be read or written
    ├── QueueError             what was queued is not what may be run
    └── ServiceError           the service is not there, or refused what it was asked

A message says what was given, what is allowed, and what to do next.
"""

__all__ = [
    "AssetError",
    "BackendError",
    "BackendUnavailable",
    "ClipNotFound",
    "CorruptClip",
    "DiskFull",
    "QueueError",
    "ResourceError",
    "RunError",
    "ServiceError",
    "SimfactoryError",
    "SimulationError",
    "SpecError",
    "StoreError",
    "UnsupportedBody",
]


class SimfactoryError(Exception):
    """Base of every error that simfactory raises on purpose."""


class SpecError(SimfactoryError, ValueError):
    """A scene spec or a request breaks a rule; the message names the field and the range."""


class AssetError(SimfactoryError):
    """A mesh, texture or environment map is missing, unreadable or outside its limits."""


class BackendError(SimfactoryError):
    """A simulator backend cannot do what was asked of it."""


class BackendUnavailable(BackendError):
    """A backend's packages or its device are missing here; the message holds the remedy."""


class UnsupportedBody(BackendError):
    """A backend does not simulate a body kind; the message names the backends that do."""


class SimulationError(SimfactoryError):
    """A simulation left the range in which its state means anything."""


class ResourceError(SimfactoryError):
    """A request needs more memory or disk than there is."""


class DiskFull(ResourceError):
    """There is no room left on the disk, or in the quota; what is committed is whole."""


class StoreError(SimfactoryError):
    """A dataset or a clip cannot be read or written."""


class ClipNotFound(StoreError, LookupError):
    """No committed clip has this id."""


class CorruptClip(StoreError):
    """Stored bytes differ from what the commit record promises."""


class RunError(SimfactoryError):
    """A training run cannot be read or written."""


class QueueError(SimfactoryError):
    """What was queued is not what may be run, or comes from another version; the message says what it was."""


class ServiceError(SimfactoryError):
    """The service cannot be reached, or it refused a request.

    Attributes:
        status: Its HTTP status; 0 where it did not answer.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

"""The exception tree: everything the project raises on purpose.

    SimfactoryError
    ├── SpecError              a scene spec or request breaks a rule (also a ValueError)
    ├── AssetError             a mesh, texture or map is missing or unreadable
    ├── BackendError           a simulator backend cannot do what was asked
    │   ├── BackendUnavailable its packages are not installed
    │   └── UnsupportedBody    it does not simulate this body kind
    ├── SimulationError        a simulation left its valid range
    ├── ResourceError          the request does not fit into memory or onto the disk
    └── StoreError             a dataset or clip cannot be read or written
        ├── ClipNotFound       no committed clip has this id
        └── CorruptClip        stored bytes differ from their commit record

A message says what was given, what is allowed, and what to do next.
"""

__all__ = [
    "AssetError",
    "BackendError",
    "BackendUnavailable",
    "ClipNotFound",
    "CorruptClip",
    "ResourceError",
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


class StoreError(SimfactoryError):
    """A dataset or a clip cannot be read or written."""


class ClipNotFound(StoreError, LookupError):
    """No committed clip has this id."""


class CorruptClip(StoreError):
    """Stored bytes differ from what the commit record promises."""

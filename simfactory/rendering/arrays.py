"""Arrays that live on the host and on a device: written here, read there, or the other way round."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import warp as wp

__all__ = ["DeviceArray", "Records", "Values", "WarpArray", "WarpType", "host_view", "records"]

Records = npt.NDArray[np.void]
Values = npt.NDArray[Any]  # Any: elements of several types
WarpType = Any  # Any: classes that Warp turns into types of its own
WarpArray: TypeAlias = "wp.array[Any, Any]"  # Any: element type and number of axes are known to kernels only


class DeviceArray:
    """A host array with its copy on the device; on the CPU both are the same memory.

    Attributes:
        host: Write here, then `upload`.
        array: What kernels read.
    """

    def __init__(self, values: Values, dtype: WarpType, device: wp.Device) -> None:
        """Copy values to a device."""
        self.array: WarpArray = wp.array(np.ascontiguousarray(values), dtype=dtype, device=device)
        self._staging: WarpArray = self.array
        if not wp.get_device(device).is_cpu:
            self._staging = wp.array(np.ascontiguousarray(values), dtype=dtype, device="cpu", pinned=True)
        self.host: Values = self._staging.numpy()

    def upload(self) -> None:
        """Make the device see what was written to `host`."""
        if self._staging is not self.array:
            wp.copy(self.array, self._staging)
            wp.synchronize_stream(wp.get_stream(self.array.device))


def records(struct: WarpType, count: int) -> Records:
    """Return zeroed host records of a Warp structure."""
    return np.zeros(count, np.dtype(struct.numpy_dtype()))


def host_view(array: WarpArray) -> Values:
    """Return a device array as numpy: a view on the CPU, a copy from CUDA."""
    return np.asarray(array.numpy())

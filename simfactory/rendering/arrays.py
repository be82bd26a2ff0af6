"""Arrays that live on the host and on a device: written here, read there, or the other way round."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import warp as wp

__all__ = ["DeviceArray", "ReadBack", "Records", "Values", "WarpArray", "WarpType", "host_view", "records"]

Records = npt.NDArray[np.void]
Values = npt.NDArray[Any]  # Any: elements of several types
WarpType = Any  # Any: classes that Warp turns into types of its own
WarpArray: TypeAlias = "wp.array[Any, Any]"  # Any: element type and number of axes are known to kernels only


class DeviceArray:
    """A host array with its copy on the device; on the CPU both are the same memory.

    Attributes:
        array: What kernels read.
    """

    def __init__(self, values: Values, dtype: WarpType, device: wp.Device) -> None:
        """Copy values to a device."""
        self.array: WarpArray = wp.array(np.ascontiguousarray(values), dtype=dtype, device=device)
        self._staging: WarpArray = self.array
        if not wp.get_device(device).is_cpu:
            self._staging = wp.array(np.ascontiguousarray(values), dtype=dtype, device="cpu", pinned=True)
        self._host: Values = self._staging.numpy()
        self._read: wp.Event | None = None

    @property
    def host(self) -> Values:
        """Write here, then `upload`; waits until the device has read what was uploaded before."""
        if self._read is not None:
            wp.synchronize_event(self._read)
            self._read = None
        return self._host

    def upload(self) -> None:
        """Make launches from here on see what was written to `host`."""
        if self._staging is not self.array:
            wp.copy(self.array, self._staging)
            self._read = wp.get_stream(self.array.device).record_event()


class ReadBack:
    """Device arrays on their way to the host: copies begin at once and are waited for where they are read.

    On the CPU there is nothing to copy: what is read are views.
    """

    def __init__(self, arrays: Mapping[str, WarpArray]) -> None:
        """Allocate host memory, page-locked, for arrays of one device."""
        self._arrays = self._host = dict(arrays)
        self._device = wp.get_device(next(iter(arrays.values())).device)
        if not self._device.is_cpu:
            self._host = {
                name: wp.empty(array.shape, dtype=array.dtype, device="cpu", pinned=True)
                for name, array in arrays.items()
            }
        self._copied: wp.Event | None = None

    def begin(self) -> None:
        """Queue the copies behind the launches that write the arrays."""
        if self._host is not self._arrays:
            for name, array in self._arrays.items():
                wp.copy(self._host[name], array)
            self._copied = wp.get_stream(self._device).record_event()

    def values(self, name: str) -> Values:
        """Return an array as numpy, once its copy has arrived; valid until the next `begin`."""
        if self._copied is not None:
            wp.synchronize_event(self._copied)
            self._copied = None
        return np.asarray(self._host[name].numpy())


def records(struct: WarpType, count: int) -> Records:
    """Return zeroed host records of a Warp structure."""
    return np.zeros(count, np.dtype(struct.numpy_dtype()))


def host_view(array: WarpArray) -> Values:
    """Return a device array as numpy: a view on the CPU, a copy from CUDA."""
    return np.asarray(array.numpy())

"""Arrays that live on the host and on a device: written here, read there, or the other way round."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import warp as wp

from simfactory.launches import turn

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
    """Device arrays `(tile, height, width, …)` on their way to the host.

    Copies begin at once and are waited for where they are read; arrays that are seldom read whole are copied when they
    are, and before that only the pixels of a grid. On the CPU there is nothing to copy: what is read are views.
    """

    def __init__(self, arrays: Mapping[str, WarpArray], *, seldom: frozenset[str] = frozenset()) -> None:
        """Allocate host memory, page-locked, for arrays of one device."""
        self._arrays, self._seldom = dict(arrays), seldom
        self._device = wp.get_device(next(iter(arrays.values())).device)
        self._copies = copies(self._device)
        self._host = {name: self._staging(array) for name, array in arrays.items()}
        self._views: dict[str, Values] = {name: array.numpy() for name, array in self._host.items()}
        self._whole: set[str] = set()  # of those that are seldom read, which have been copied
        self._grid: tuple[slice, slice] | None = None
        self._points: dict[str, WarpArray] = {}  # the grid's pixels of those that are seldom read, on the host
        self._staged: dict[tuple[str, tuple[int, ...]], WarpArray] = {}  # memory for these
        self._copied: wp.Event | None = None

    def begin(self, grid: tuple[slice, slice] | None = None) -> None:
        """Queue the copies behind the launches that write the arrays.

        Args:
            grid: Rows and columns that will be read of those arrays that are seldom read whole.
        """
        if not self._copies:
            return
        self._whole.clear()
        self._grid = grid
        for name, array in self._arrays.items():
            if name not in self._seldom:
                wp.copy(self._host[name], array)
            elif grid is not None:
                points = array[:, grid[0], grid[1]].contiguous()
                key = name, points.shape
                if key not in self._staged:  # page-locking memory takes long
                    self._staged[key] = self._staging(points)
                self._points[name] = self._staged[key]
                wp.copy(self._points[name], points)
        self._copied = None if self._device.is_cpu else wp.get_stream(self._device).record_event()

    def values(self, name: str) -> Values:
        """Return an array as numpy, once its copy has arrived; valid until the next `begin`."""
        if self._copies and name in self._seldom and name not in self._whole:
            with turn():  # another thread may be recording a graph
                wp.copy(self._host[name], self._arrays[name])
                wp.synchronize_device(self._device)
            self._whole.add(name)
        self._wait()
        return self._views[name]

    def sampled(self, name: str, grid: tuple[slice, slice]) -> Values:
        """Return a grid's pixels of an array; cheapest for the grid that was named at the beginning."""
        if not self._copies or name not in self._seldom or grid != self._grid:
            return self.values(name)[:, grid[0], grid[1]]
        self._wait()
        return np.asarray(self._points[name].numpy())

    def _staging(self, array: WarpArray) -> WarpArray:
        if not self._copies:
            return array
        made: WarpArray = wp.empty(array.shape, dtype=array.dtype, device="cpu", pinned=not self._device.is_cpu)
        return made

    def _wait(self) -> None:
        if self._copied is not None:
            wp.synchronize_event(self._copied)
            self._copied = None


def copies(device: wp.Device) -> bool:
    """Return whether the host reads copies: the CPU's arrays are its own."""
    return not device.is_cpu


def records(struct: WarpType, count: int) -> Records:
    """Return zeroed host records of a Warp structure."""
    return np.zeros(count, np.dtype(struct.numpy_dtype()))


def host_view(array: WarpArray) -> Values:
    """Return a device array as numpy: a view on the CPU, a copy from CUDA."""
    return np.asarray(array.numpy())

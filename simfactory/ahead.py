"""An iterator that runs in a thread of its own, a few items ahead of whoever takes them."""

import queue
import threading
from collections.abc import Iterator
from typing import Generic, Self, TypeVar, final

__all__ = ["Ahead"]

T = TypeVar("T")

POLL_SECONDS = 0.05  # after which a thread that waits for room sees that nobody wants more


class _End:
    """Comes after the last item, with the error that ended them if there was one."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


@final
class Ahead(Iterator[T], Generic[T]):
    """Runs an iterator in a thread of its own, at most `size` items ahead of whoever takes them.

    Whoever makes items waits while there is no room; an error comes out where the item would have. Several of them in
    a row are the stages of a pipeline with back-pressure. `close` ends the thread and closes the iterator in it.

    Args:
        items: What is run; if it is a generator, it is closed in its thread.
        size: How many items may wait.
        name: Of the thread.
    """

    def __init__(self, items: Iterator[T], *, size: int, name: str) -> None:
        self._items, self._ended = items, False
        self._waiting: queue.Queue[T | _End] = queue.Queue(maxsize=size)
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __next__(self) -> T:
        """Return the next item; wait for it."""
        if self._ended:
            raise StopIteration
        return self._given(self._waiting.get())

    def waiting(self, count: int) -> list[T]:
        """Return up to `count` further items that are ready, without waiting."""
        ready: list[T] = []
        while len(ready) < count and not self._ended:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                break
            if isinstance(item, _End):
                self._waiting.put(item)  # there is room: it was just taken, and nothing comes after it
                break
            ready.append(item)
        return ready

    def close(self) -> list[T]:
        """End the thread; return what was made and not taken."""
        self._ended = True
        self._unwanted.set()
        self._thread.join()
        left: list[T] = []
        while not self._waiting.empty():
            item = self._waiting.get_nowait()
            left += [] if isinstance(item, _End) else [item]
        return left

    def __enter__(self) -> Self:
        """Return the iterator itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the thread."""
        self.close()

    def _given(self, item: T | _End) -> T:
        if not isinstance(item, _End):
            return item
        self._ended = True
        if item.error is not None:
            raise item.error
        raise StopIteration

    def _run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as error:  # noqa: BLE001  # it is raised where the item is taken
            end = _End(error)
        try:
            if hasattr(self._items, "close"):
                self._items.close()
        except Exception as error:  # noqa: BLE001  # as above
            end = _End(end.error or error)
        self._put(end)

    def _put(self, item: T | _End) -> bool:
        """Wait for room; tell whether the item is still wanted."""
        while not self._unwanted.is_set():
            try:
                self._waiting.put(item, timeout=POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False

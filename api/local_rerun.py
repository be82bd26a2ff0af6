"""Shows a clip in the Rerun viewer: on this machine's loopback alone, and with its reports to its makers off."""

import os
import signal
import socket
import subprocess  # nosec B404  # the viewer is a program
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from simfactory.dataset import Clip
from simfactory.errors import ServiceError
from simfactory.exporters import find_exporter

__all__ = ["show", "viewer_command"]

LOOPBACK = "127.0.0.1"  # the viewer's own choice is 0.0.0.0: everybody's


def show(clip: Clip, *, out: Path | None, port: int | None, desktop: bool, say: Callable[[str], None]) -> None:
    """Write a clip as a Rerun recording, and open it unless a file is wanted.

    Args:
        clip: The clip.
        out: File to write; None = a temporary one, opened in the viewer until that ends.
        port: Port of the viewer; None = any that is free.
        desktop: Whether there is a window to open; else the viewer is served to browsers of this machine.
        say: Takes what is to be told.

    Raises:
        StoreError: Rerun is not installed, or the file cannot be written.
        ServiceError: The viewer does not start.
    """
    if out is not None:
        say(str(find_exporter("rerun").export(clip, out)))
        return
    with tempfile.TemporaryDirectory(prefix="simfactory-") as folder:
        recording = find_exporter("rerun").export(clip, Path(folder, f"{clip.id}.rrd"))
        environment = _silent(Path(folder))
        ports = (port or _free_port(), _free_port())
        if not desktop:
            say(f"http://{LOOPBACK}:{ports[1]}?url=rerun%2Bhttp%3A%2F%2F{LOOPBACK}%3A{ports[0]}%2Fproxy")
        viewer = subprocess.Popen(viewer_command(recording, *ports, desktop=desktop), env=environment)  # nosec B603  # our own words
        try:
            code = viewer.wait()
        except KeyboardInterrupt:
            viewer.send_signal(signal.SIGINT)  # a terminal sends it to both; others to us alone
            code = 0
        finally:
            _end(viewer)
    if code:
        raise ServiceError(f"the Rerun viewer ended with status {code}; `--rerun --out FILE` only writes the recording")


def viewer_command(recording: Path, port: int, web_port: int, *, desktop: bool) -> list[str]:
    """Return the command that opens a recording and listens on the loopback alone.

    Raises:
        ServiceError: The viewer's program is missing.
    """
    command = [_program(), str(recording), "--bind", LOOPBACK, "--port", str(port)]
    return command if desktop else [*command, "--serve-web", "--web-viewer-port", str(web_port)]


def _program() -> str:
    """Return the viewer itself: the command of the same name is a script, whose end would leave the viewer behind.

    Raises:
        ServiceError: It is missing.
    """
    package = find_spec("rerun_cli")
    for folder in () if package is None else package.submodule_search_locations or ():
        for name in ("rerun", "rerun.exe", "Rerun.app/Contents/MacOS/Rerun"):
            if Path(folder, name).is_file():
                return str(Path(folder, name))
    raise ServiceError("the Rerun viewer is missing: run `pip install 'simfactory[rerun]'`")


def _silent(folder: Path) -> Mapping[str, str]:
    """Return an environment in which the viewer reports nothing; what its user chose elsewhere stays as it is."""
    places = {name: str(folder / name.lower()) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    environment = {"RUST_LOG": "warn", **os.environ, **places}
    subprocess.run([_program(), "analytics", "disable"], env=environment, check=True, capture_output=True)  # nosec B603  # our own words
    return environment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _end(viewer: "subprocess.Popen[bytes]") -> None:
    if viewer.poll() is None:
        viewer.terminate()
        try:
            viewer.wait(5.0)
        except subprocess.TimeoutExpired:
            viewer.kill()
            viewer.wait()

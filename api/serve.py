"""The API process: uvicorn with the application of a state folder."""

import logging
import os
import sys
from pathlib import Path

import uvicorn

from api.app import make_app
from api.logs import set_up_logs
from api.security import check_bind
from api.settings import Settings

__all__ = ["main"]


def main(state: str, host: str, port: str) -> None:
    """Serve until SIGTERM."""
    set_up_logs()
    check_bind(host, has_token="SIMFACTORY_TOKEN" in os.environ)
    hosts = tuple(name for name in os.environ.get("SIMFACTORY_HOSTS", "").split(",") if name)
    settings = Settings.of(Path(state), host=host, port=int(port))
    logging.getLogger("api").info("serving %s on %s:%s", settings.state, host, port)
    uvicorn.run(
        make_app(settings, hosts=hosts),
        host=host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,  # open pages ask again every 15 s at the latest
        server_header=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Write docs/openapi.json, the service's description, from its routes: `make openapi`."""

import json
import tempfile
from pathlib import Path

from api.app import make_app
from api.settings import Settings

FILE = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def document_text() -> str:
    """Return the description as it is committed."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        settings = Settings(state=state, data=state, redis="unix:///none", database="sqlite://")
        return json.dumps(make_app(settings).openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(document_text(), encoding="utf-8")
    print(f"wrote {FILE}")

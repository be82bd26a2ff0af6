"""Pages by cursor, signed so that none can be made up; and ETags."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from api.problems import ProblemError
from simfactory.protocol import ProblemItem

__all__ = ["Cursor", "Limit", "as_json", "decode_cursor", "encode_cursor", "has_tag", "with_etag"]

Limit = Annotated[int, Query(ge=1, le=1000, description="Items of a page")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before")]


def encode_cursor(secret: bytes, what: str, values: Sequence[Any]) -> str:  # Any: JSON
    """Return a cursor: where a listing of this kind goes on."""
    body = json.dumps([what, *values], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mark(secret, body) + body).decode().rstrip("=")


def decode_cursor(secret: bytes, what: str, cursor: str) -> list[Any]:  # Any: JSON
    """Return the values of a cursor.

    Raises:
        ProblemError: It is none of ours, or of another listing.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        mark, body = raw[:16], raw[16:]
        if not hmac.compare_digest(mark, _mark(secret, body)):
            raise ValueError("signature")
        name, *values = json.loads(body)
        if name != what:
            raise ValueError("of another listing")
    except ValueError:
        item = ProblemItem(pointer="/query/cursor", detail="give `next` of a page of this very listing, or none")
        raise ProblemError(422, "this cursor is not one of this listing", errors=[item]) from None
    return list(values)


def has_tag(request: Request, etag: str) -> bool:
    """Tell whether a client has what an ETag, with its quotes, stands for."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known


def as_json(model: BaseModel) -> Response:
    """Return a model as JSON; the framework would check it once more first."""
    return Response(model.model_dump_json(), media_type="application/json")


def with_etag(request: Request, model: BaseModel) -> Response:
    """Return a model as JSON with an ETag; 304 if the client has it."""
    body = model.model_dump(mode="json")
    etag = f'"{hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:24]}"'
    headers = {"etag": etag, "cache-control": "no-cache"}
    return Response(status_code=304, headers=headers) if has_tag(request, etag) else JSONResponse(body, headers=headers)


def _mark(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()[:16]

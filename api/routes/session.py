"""`/v1/session`: a token kept in a browser's cookie, which no script can read and no other site can use."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from api.problems import ProblemError
from api.security import COOKIE, Tokens, check_origin, keep_token, known_scopes, needs
from api.strict_json import StrictRoute
from simfactory.protocol import ApiModel

__all__ = ["router"]

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=StrictRoute)


class Login(ApiModel):
    """What is asked for at the door."""

    token: Annotated[str, Field(min_length=1, max_length=512)]


class Session(ApiModel):
    """What a browser may do."""

    scopes: list[str]


@router.post("", responses={401: {}, 403: {}})
def login(body: Login, request: Request, response: Response) -> Session:
    """Keep a token in a cookie of this browser."""
    if "origin" in request.headers:
        check_origin(request)  # nobody else's page logs a browser in, or finds tokens out
    tokens: Tokens = request.app.state.tokens
    scopes = tokens.scopes(body.token.strip())
    if not scopes:
        raise ProblemError(401, "this token is not known here", headers={"www-authenticate": "Bearer"})
    keep_token(request, response, body.token.strip())
    return Session(scopes=sorted(scopes))


@router.get("", dependencies=[Depends(needs("read"))])
def current(request: Request) -> Session:
    """Tell what this browser, or this token, may do."""
    return Session(scopes=sorted(known_scopes(request)))


@router.delete("", status_code=204, responses={403: {}})
def logout(request: Request) -> Response:
    """Forget the cookie."""
    if "origin" in request.headers:
        check_origin(request)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
    return response

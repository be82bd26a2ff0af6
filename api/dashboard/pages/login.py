"""`/login` and `/logout`: a session for a browser."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.dashboard.access import local_address
from api.dashboard.templating import page
from api.security import COOKIE, Tokens, check_origin, keep_token

__all__ = ["router"]

router = APIRouter()
Next = Annotated[str, Query(max_length=2000)]


@router.get("/login")
def show(request: Request, next: Next = "/") -> Response:  # the name that people see in the address
    """Show the form that asks for a token."""
    return page(request, "login.html", title="Log in", next=local_address(next), wrong=False)


@router.post("/login")
def login(
    request: Request,
    token: Annotated[str, Form(max_length=512)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Keep a token in this browser, or say that it is none."""
    check_origin(request)
    tokens: Tokens = request.app.state.tokens
    if not tokens.scopes(token.strip()):
        return page(request, "login.html", title="Log in", status=401, next=local_address(next), wrong=True)
    response = RedirectResponse(local_address(next), status_code=303)
    keep_token(request, response, token.strip())
    return response


@router.post("/logout")
def logout(request: Request) -> Response:
    """Forget the session."""
    check_origin(request)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
    return response

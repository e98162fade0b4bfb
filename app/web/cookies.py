"""Our cookies: HttpOnly, for this site only, and bound to the host wherever the browser allows it.

On an https address they are `__Host-…; Secure`. On plain http (the demo and tests on loopback) they
can't be: browsers keep neither `Secure` nor `__Host-` cookies of http pages, some not even of
localhost, so nobody could sign in. There they have plain names.
"""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.web.parts import parts_of

SESSION = "sid"
WALL = "wall"
PAIRING = "pairing"
# Nothing we give out is longer; anything longer is not worth hashing.
LONGEST = 128


def is_secure(connection: HTTPConnection) -> bool:
    return parts_of(connection).settings.public_url.startswith("https:")


def name_of(connection: HTTPConnection, cookie: str) -> str:
    return f"__Host-{cookie}" if is_secure(connection) else cookie


def read(connection: HTTPConnection, cookie: str) -> str:
    """The cookie's value; "" when there is none or it can't be ours."""
    value = connection.cookies.get(name_of(connection, cookie), "")
    return value if len(value) <= LONGEST else ""


def give(
    connection: HTTPConnection, response: Response, cookie: str, value: str, days: int = 0
) -> None:
    """Set the cookie: for so many days, or until the browser closes."""
    response.set_cookie(
        name_of(connection, cookie),
        value,
        max_age=days * 86_400 or None,
        path="/",
        secure=is_secure(connection),
        httponly=True,
        samesite="lax",
    )


def take_back(connection: HTTPConnection, response: Response, cookie: str) -> None:
    response.delete_cookie(
        name_of(connection, cookie),
        path="/",
        secure=is_secure(connection),
        httponly=True,
        samesite="lax",
    )

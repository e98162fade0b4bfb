"""Styles, scripts and pictures under `/static/<build>/…`, kept for ever by browsers.

`BUILD` is made of the files themselves: a page of another build knows that it must reload.
"""

import re
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.language import TRANSLATIONS
from app.render import TEMPLATES

STATIC = Path(__file__).parent.parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
SOME_BUILD = re.compile(r"[0-9a-f]{10}")


def build_of(*folders: Path) -> str:
    """Ten hexadecimal digits that change with any file's name or content."""
    digest = sha256()
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
                digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:10]


BUILD = build_of(STATIC, TEMPLATES, TRANSLATIONS)


class Assets(StaticFiles):
    """The files of `STATIC`; the build in the path is left out, and decides how long to keep."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        first, _, rest = path.replace("\\", "/").partition("/")
        versioned = bool(rest and SOME_BUILD.fullmatch(first))
        response = await super().get_response(rest if versioned else path, scope)
        keep = versioned and first == BUILD and response.status_code in {200, 304}
        response.headers["cache-control"] = FOREVER if keep else "no-cache"
        return response


ROUTES: list[BaseRoute] = [Mount("/static", Assets(directory=STATIC), name="static")]

"""Reading a posted form: little, strict, and never a parameter that means two things."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from app.sentences import Sentence

LARGEST = 16 * 1024
MOST_FIELDS = 200
PATIENCE_S = 10.0
FORM = "application/x-www-form-urlencoded"


class FormProblem(Exception):
    """The request is refused with `status`; the text says why."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.status = status


class Form:
    """The fields of a form, each with all its values."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def names(self) -> list[str]:
        """The fields that were given."""
        return list(self._values)

    def one(self, name: str, default: str = "") -> str:
        """The field's value. Raises FormProblem when it was given twice."""
        values = self._values.get(name, [default])
        if len(values) > 1:
            raise FormProblem(
                Sentence("The field “{field}” was given more than once.", field=name[:40])
            )
        return values[0]

    def many(self, name: str) -> list[str]:
        """All values of a field that may be given several times."""
        return self._values.get(name, [])

    def number(self, name: str) -> int:
        """A plain number such as an id. Raises FormProblem for anything else."""
        text = self.one(name)
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise FormProblem(Sentence("The field “{field}” must be a number.", field=name))
        return int(text)


async def form_of(request: Request, largest: int = LARGEST) -> Form:
    """The posted form. Raises FormProblem: 400, 408, 413 or 415."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != FORM:
        raise FormProblem("A form is expected.", 415)
    try:
        async with asyncio.timeout(PATIENCE_S):
            body = await _body(request, largest)
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except TimeoutError:
        raise FormProblem("The form did not arrive within 10 seconds.", 408) from None
    except (ValueError, ClientDisconnect):
        raise FormProblem("The form can't be read.", 400) from None
    return Form(pairs)


async def _body(request: Request, largest: int) -> bytes:
    chunks: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > largest:
            raise FormProblem("The form is too large.", 413)
        chunks.append(chunk)
    return b"".join(chunks)

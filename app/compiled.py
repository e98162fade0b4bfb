"""Templates compiled once in a process, however many sites draw with them."""

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

# (language, template) → its code. A filter of a constant is worked out while compiling, so what is
# compiled for one language is of use to that language only.
_kept: dict[tuple[str, str], bytes] = {}


class Compiled(BytecodeCache):
    """What Jinja asks before it compiles a template."""

    def __init__(self, language: str) -> None:
        self._language = language

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket if the code is kept; Jinja looks whether it is of this source."""
        code = _kept.get((self._language, bucket.key))
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        _kept[self._language, bucket.key] = bucket.bytecode_to_string()

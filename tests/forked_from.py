"""What `tests.forked` has read before it forks: all modules, and the board's templates compiled."""

import app.__main__  # noqa: F401 - so that it is there
from app.render import Renderer

Renderer().compile_board()

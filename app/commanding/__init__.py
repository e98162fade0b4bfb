"""Commands to the PBX where several nodes serve a site: any node asks, the owner does it, once.

    asking = CommandingPbx(pbx, log, projector)           # every node: the Pbx that `Actions` get
    executor = Executor(pbx, OwnersLog(log, ownership), projector, ownership, clock)
    run_while_owned(ownership, executor.run)              # every node, beside its other loops

What the owner does by itself (a pause after a call) goes the same way, in its name:
`CommandingPbx(pbx, OwnersLog(log, ownership), projector)`. Where one process serves the site
nothing of this is needed: its `Pbx` is the real one.
"""

from app.commanding.asking import CommandingPbx
from app.commanding.executor import Executor

__all__ = ["CommandingPbx", "Executor"]

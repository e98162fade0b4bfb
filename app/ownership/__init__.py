"""Who may do what one process alone may do for a site: ask the PBX, tell of alarms, obey commands.

One process: `Sole`, and nothing else of this part is needed. Several nodes, in this order:

    leased = Leased(cluster, f"p{partition}", node)            # per node and partition
    ownership = SiteOwnership(leased, log, projector, node)    # per site; both `run()` for ever
    owners_log = OwnersLog(log, ownership)                     # for whatever the owner runs
    run_while_owned(ownership, reconciler.run)                 # and so each of the owner's loops

At the end: first the owner's loops and the sites' `run`, then `Leased.run`, which lets others have
the lease at once.
"""

from app.ownership.holding import Ownership, Sole, run_while_owned
from app.ownership.leased import Leased, Leases
from app.ownership.owners_log import OwnersLog
from app.ownership.site import SiteOwnership, Watched

__all__ = [
    "Leased",
    "Leases",
    "OwnersLog",
    "Ownership",
    "SiteOwnership",
    "Sole",
    "Watched",
    "run_while_owned",
]

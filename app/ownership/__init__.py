"""Who may do what one process alone may do for a site: ask the PBX, tell of alarms, obey commands.

One process: `Sole`, and nothing else of this part is needed. Several nodes, in this order:

    leased = Leased(cluster, f"p{partition}", node)              # per node and partition
    projector = Projector(log, …, ownership=leased)              # per site: ticks and snapshots
    ownership = SiteOwnership(leased, log, projector, node)      # both ownerships `run()` for ever
    owners_log = OwnersLog(log, ownership)                       # for whatever the owner runs
    run_while_owned(ownership, reconciler.run)                   # and so each of the owner's loops

The aftermath gets `desk.owners(CommandingPbx(pbx, owners_log, projector), owners_log)`; see
`app.commanding`. At the end: first the owner's loops and the sites' `run`, then `Leased.run`, which
lets others have the lease at once.
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

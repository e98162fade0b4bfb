"""Alarms told outside the board, by e-mail, chat or webhook; and the rules of a new board."""

import logging

from app.alerting.channels import Channels
from app.alerting.message import composer
from app.alerting.notifier import Notifier
from app.alerting.outgoing import send
from app.domain.alarm_acts import event_of
from app.domain.default_rules import DEFAULTS
from app.log import EventLog, LogUnavailable
from app.projector import Projector
from app.render import Renderer

__all__ = ["Channels", "Notifier", "open_notifier", "set_first_rules"]

logger = logging.getLogger(__name__)


def open_notifier(
    channels: Channels, log: EventLog, projector: Projector, renderer: Renderer, language: str
) -> Notifier:
    """What tells the channels, in that language."""
    compose = composer(renderer, projector.floor, language)
    return Notifier(channels, log, projector, compose, send)


async def set_first_rules(log: EventLog, projector: Projector) -> None:
    """A board whose alarms nobody has chosen yet gets the suggested ones."""
    if projector.floor.state.alarms_chosen:
        return
    try:
        await log.append([event_of(rule, "Pitwall") for rule in DEFAULTS])
    except LogUnavailable as reason:
        logger.error("The board starts without alarms: %s", reason)

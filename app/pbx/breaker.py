"""The circuit breaker: a PBX that keeps failing is left alone for a while."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.pbx import PbxError
from app.sentences import Sentence

logger = logging.getLogger(__name__)

FAILURES = 5
REST_S = 15.0


class Breaker:
    """Opens after `failures` in a row; once `rest_s` have passed, lets one request through at a
    time until one succeeds. While it is open, requests fail at once and nothing is sent."""

    def __init__(
        self,
        failures: int = FAILURES,
        rest_s: float = REST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._rest_s = rest_s
        self._clock = clock
        self._failures = 0
        self._opened: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    @contextmanager
    def attempt(self, *, forced: bool = False) -> Iterator[None]:
        """Around one request. Raises PbxError("busy") while open, unless `forced`."""
        probe = self.is_open
        if probe and not forced:
            self._refuse_unless_rested()
        self._probing = self._probing or probe
        try:
            yield
        except PbxError:
            self._failed(probe)
            raise
        else:
            self._succeeded()
        finally:
            self._probing = self._probing and not probe

    def _refuse_unless_rested(self) -> None:
        left_s = self._rest_s - (self._clock() - (self._opened or 0.0))
        if self._probing or left_s > 0:
            raise PbxError(
                "busy",
                Sentence(
                    "The PBX failed {times} times in a row, so nothing was sent to it. "
                    "Try again in {wait} s.",
                    times=self._failures,
                    wait=max(1, round(left_s)),
                ),
            )

    def _failed(self, probe: bool) -> None:
        self._failures += 1
        if probe:
            self._opened = self._clock()
        elif self._opened is None and self._failures >= self._limit:
            self._opened = self._clock()
            logger.warning(
                "The PBX failed %d times in a row; it is left alone for %g s",
                self._failures,
                self._rest_s,
            )

    def _succeeded(self) -> None:
        if self.is_open:
            logger.warning("The PBX answers again")
        self._failures, self._opened = 0, None

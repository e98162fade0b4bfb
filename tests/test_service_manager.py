"""Sockets that are handed over, and what the service manager hears."""

import asyncio
import errno
import os
import socket

import pytest

from app import service_manager


@pytest.fixture
def hearing(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_a_service_manager_hears_what_is_told(hearing):
    service_manager.tell("READY=1")

    assert hearing.recv(100) == b"READY=1"


def test_without_one_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    service_manager.tell("READY=1")


def test_without_a_descriptor_left_nobody_is_stopped(hearing, monkeypatch):
    def none_left(*given):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", none_left)
    service_manager.tell("WATCHDOG=1")


def test_one_that_is_gone_stops_nobody(monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))

    service_manager.tell("READY=1")


def test_the_watchdog_hears_three_times_in_its_patience(hearing, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "60000")

    async def for_a_while():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(service_manager.keep_alive(), 0.2)

    asyncio.run(for_a_while())
    assert {hearing.recv(100) for _ in range(3)} == {b"WATCHDOG=1"}


@pytest.mark.parametrize(("count", "pid"), [("", ""), ("0", ""), ("2", ""), ("1", "1"), ("x", "")])
def test_no_socket_is_taken_that_is_not_for_us(monkeypatch, count, pid):
    monkeypatch.setenv("LISTEN_FDS", count)
    monkeypatch.setenv("LISTEN_PID", pid)

    assert service_manager.inherited_socket() is None
    assert "LISTEN_FDS" not in os.environ

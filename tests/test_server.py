"""Connections: a lone process holds them from the start, a node only once it is ready."""

import socket

import pytest

from app.server import listen


def test_a_process_alone_holds_connections_while_it_starts():
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()) as held,
    ):
        assert held.getpeername() == listening.getsockname()


def test_a_node_refuses_connections_until_it_is_ready():
    with listen("127.0.0.1", 0, at_once=False) as bound, pytest.raises(ConnectionRefusedError):
        socket.create_connection(bound.getsockname())

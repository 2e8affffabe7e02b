# SPDX-License-Identifier: ISC
"""A client that stops in each phase is closed after timeouts.negotiate, counted from accept."""
import pytest

import gateway as gw
import servers
import socks
from socks import Client, hello, login, request


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(methods=["userpass"], timeouts="negotiate = 1 connect = 1 stop = 2")


STOPS = {
    "nothing sent": b"",
    "in the method list": hello(2)[:2],
    "after the method list": hello(2),
    "in the name": hello(2) + login("alice", "wonderland")[:4],
    "in the password": hello(2) + login("alice", "wonderland")[:-1],
    "after the login": hello(2) + login("alice", "wonderland"),
    "in the request": hello(2) + login("alice", "wonderland") + request("127.0.0.1", 80)[:5],
    "before the last byte": hello(2) + login("alice", "wonderland") + request("127.0.0.1", 80)[:-1],
}


def test_client_that_stops_in_each_phase(gateway):
    clients = {}
    for where, data in STOPS.items():
        clients[where] = Client(gateway).send(data)
    for where, client in clients.items():
        client.rest_or_reset()
        record = gateway.closing(client)
        assert (record["event"], record["reason"]) == ("protocol.error", "client-timeout"), where
        assert 0.9 < float(record["duration"]) < 6, where
        client.close()


def test_a_slow_drip_does_not_extend_the_time(gateway):
    """One byte now and then: the deadline counts from accept, not from the last byte."""
    data = hello(2) + login("alice", "wonderland") + request("127.0.0.1", 80)
    with Client(gateway) as client:
        try:
            for byte in data:
                client.send(bytes([byte]))
                gw.stays(lambda: True, 0.1)
        except (BrokenPipeError, ConnectionResetError):
            pass
        client.close()
        record = gateway.closing(client)
    assert record["reason"] == "client-timeout" and float(record["duration"]) < 3.5


def test_the_time_ends_with_the_request(start):
    """An established session outlives timeouts.negotiate and timeouts.connect."""
    gateway = start(methods=["userpass"], timeouts="negotiate = 3 connect = 3 stop = 2")
    with servers.Server(servers.echo) as server, Client(gateway) as client:
        client.connect(server.address, "alice")
        gw.stays(lambda: True, 4)
        client.echo()

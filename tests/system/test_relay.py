# SPDX-License-Identifier: ISC
"""The relay: every byte in order, half-close and resets carried through, slow readers slowing down
the fast writer, nothing held for ever."""
import fcntl
import hashlib
import os
import pathlib
import struct
import termios
import threading

import pytest

import gateway as gw
import servers
import socks
from socks import Client
from waiting import stays, wait_until

MB = 1 << 20


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared()


def test_client_half_closes_first(gateway):
    """The destination sees the end of the stream, goes on sending, and the client gets it all."""
    with servers.Server(servers.sink) as server, Client(gateway) as client:
        client.connect(server.address).send(b"x" * 1000).shut()
        digest = client.recv(64).decode()
        client.ends()
    assert digest == hashlib.sha256(b"x" * 1000).hexdigest()
    record = gateway.closing(client)
    assert (record["reason"], record["bytes_up"], record["bytes_down"]) == ("closed", "1000", "64")


def test_destination_half_closes_first(gateway):
    """The client sees the end of the stream and still gets through what it sends."""
    def shut_then_read(connection, server):
        connection.sendall(b"last words")
        connection.shutdown(2 - 1)
        got = b""
        while data := connection.recv(65536):
            got += data
        server.note(got)
        connection.close()
    with servers.Server(shut_then_read) as server, Client(gateway) as client:
        client.connect(server.address)
        assert client.rest() == b"last words"
        client.send(b"still here" * 100).shut()
        assert server.wait_note() == b"still here" * 100
    record = gateway.closing(client)
    assert (record["reason"], record["bytes_up"], record["bytes_down"]) == ("closed", "1000", "10")


def test_both_close_with_data_under_way(gateway):
    for _ in range(20):
        with servers.Server(servers.echo) as server, Client(gateway) as client:
            client.connect(server.address).send(b"y" * 200_000).shut()
            assert client.rest() == b"y" * 200_000
        assert gateway.closing(client)["reason"] == "closed"


def test_client_reset_reaches_the_destination(gateway):
    def expect_reset(connection, server):
        try:
            while connection.recv(65536):
                pass
            server.note("end of stream")
        except ConnectionResetError:
            server.note("reset")
    with servers.Server(expect_reset) as server:
        client = Client(gateway).connect(server.address).send(b"hello")
        server.wait_connection()
        client.reset()
        assert server.wait_note() == "reset"
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("session.end", "client-reset")


def test_destination_reset_reaches_the_client(gateway):
    def read_then_reset(connection, server):
        connection.recv(5)
        servers.reset(connection)
    with servers.Server(read_then_reset) as server, Client(gateway) as client:
        client.connect(server.address).send(b"hello")
        with pytest.raises(ConnectionResetError):
            client.rest()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("session.end", "destination-reset")


def test_reset_after_a_half_close(gateway):
    """A client that ended its stream learns of a reset too."""
    def read_all_then_reset(connection, server):
        while connection.recv(65536):
            pass
        servers.reset(connection)
    with servers.Server(read_all_then_reset) as server, Client(gateway) as client:
        client.connect(server.address).send(b"hello").shut()
        with pytest.raises(ConnectionResetError):
            client.rest()
    assert gateway.closing(client)["reason"] == "destination-reset"


@pytest.mark.sanitizers
def test_64_megabytes_each_way_at_once(gateway):
    """Through chunks of random sizes, checked by hash, both directions at the same time."""
    total = 64 * MB

    def both_ways(connection, server):
        sender = threading.Thread(target=servers.source(total, 1), args=(Unclosed(connection), server))
        sender.start()
        digest = hashlib.sha256()
        while data := connection.recv(1 << 16):
            digest.update(data)
        sender.join()
        server.note(digest.hexdigest())
        connection.close()

    class Unclosed:
        def __init__(self, connection):
            self.sendall, self.close = connection.sendall, lambda: connection.shutdown(1)

    with servers.Server(both_ways) as server, Client(gateway, deadline=60) as client:
        client.connect(server.address)

        def send():
            for piece in servers.chunks(total, 2):
                client.sock.sendall(piece)
            client.shut()
        sender = threading.Thread(target=send)
        sender.start()
        digest = hashlib.sha256()
        while data := client.sock.recv(1 << 16):
            digest.update(data)
        sender.join()
        assert digest.hexdigest() == servers.digest_of(total, 1)
        assert server.wait_note(30) == servers.digest_of(total, 2)
    record = gateway.closing(client)
    assert (record["bytes_up"], record["bytes_down"]) == (str(total), str(total))


@pytest.mark.parametrize("size", [1, 1000, 65535, 65536, 65537, 1_000_003])
def test_exact_bytes(gateway, size):
    with servers.Server(servers.source(size, size)) as server, Client(gateway) as client:
        data = client.connect(server.address).rest()
        assert hashlib.sha256(data).hexdigest() == servers.digest_of(size, size)
    assert gateway.closing(client)["bytes_down"] == str(size)


def test_half_a_megabyte_behind_the_request(gateway):
    """Pipelined payload reaches the destination first, whole, and after it what follows."""
    payload = b"".join(servers.chunks(512 * 1024, 7))
    with servers.Server(servers.sink) as server, Client(gateway) as client:
        sender = threading.Thread(target=client.send, args=(
            socks.hello(0), socks.request(*server.address), payload))
        sender.start()
        assert client.recv(2) == b"\x05\x00" and client.reply().code == 0
        sender.join()
        client.send(b"and more").shut()
        assert client.recv(64).decode() == hashlib.sha256(payload + b"and more").hexdigest()
        client.ends()
    assert gateway.closing(client)["bytes_up"] == str(len(payload) + 8)


def test_half_a_megabyte_behind_a_login(start):
    gateway = start(methods=["userpass"])
    payload = b"".join(servers.chunks(512 * 1024, 8))
    with servers.Server(servers.sink) as server, Client(gateway) as client:
        sender = threading.Thread(target=client.send, args=(
            socks.hello(2), socks.login("alice", "wonderland"), socks.request(*server.address), payload))
        sender.start()
        assert client.recv(4) == b"\x05\x02\x01\x00" and client.reply().code == 0
        sender.join()
        client.shut()
        assert client.recv(64).decode() == hashlib.sha256(payload).hexdigest()


def kernel_holds():
    """What the sockets of a session may hold at most, and a pipe."""
    most = lambda name: int(pathlib.Path(f"/proc/sys/net/ipv4/{name}").read_text().split()[2])
    return most("tcp_rmem") + 2 * most("tcp_wmem") + 4 * MB


def settled(number):
    """The value once it did not change for a while."""
    last = [number(), 0]

    def same():
        now = number()
        last[1] = last[1] + 1 if now == last[0] else 0
        last[0] = now
        return last[1] > 30
    wait_until(same, 20, "it settles")
    return last[0]


def test_slow_client_slows_the_destination(start):
    """The client does not read: the destination's send stops after what sockets hold, the worker
    holds no memory for it, and in the end every byte arrives."""
    gateway = start(workers=1)
    worker = gateway.children("worker")[0]
    total, sent = kernel_holds() + 32 * MB, [0]

    def counting(connection, server):
        for piece in servers.chunks(total, 5):
            connection.sendall(piece)
            sent[0] += len(piece)
        connection.close()
    with servers.Server(counting) as server, Client(gateway, deadline=60, receive_buffer=8192) as client:
        before = gw.memory_kb(worker)
        client.connect(server.address)
        stuck = settled(lambda: sent[0])
        assert 0 < stuck < kernel_holds()
        assert gw.memory_kb(worker) - before < 2048, "the worker buffers what the client does not read"
        used = gw.cpu_seconds(worker)
        stays(lambda: sent[0] == stuck, 0.5)
        assert gw.cpu_seconds(worker) - used < 0.1, "waiting is not idle"
        digest = hashlib.sha256()
        while data := client.sock.recv(1 << 16):
            digest.update(data)
    assert digest.hexdigest() == servers.digest_of(total, 5)
    assert gateway.closing(client)["bytes_down"] == str(total)


def test_slow_destination_slows_the_client(start):
    gateway = start(workers=1)
    worker = gateway.children("worker")[0]
    total, sent, go = kernel_holds() + 32 * MB, [0], threading.Event()

    def late_sink(connection, server):
        go.wait(60)
        servers.sink(connection, server)
    with servers.Server(late_sink, receive_buffer=8192) as server, Client(gateway, deadline=60) as client:
        before = gw.memory_kb(worker)
        client.connect(server.address)

        def send():
            for piece in servers.chunks(total, 6):
                client.sock.sendall(piece)
                sent[0] += len(piece)
            client.shut()
        sender = threading.Thread(target=send)
        sender.start()
        assert 0 < settled(lambda: sent[0]) < kernel_holds()
        assert gw.memory_kb(worker) - before < 2048
        go.set()
        sender.join(60)
        assert client.recv(64).decode() == servers.digest_of(total, 6)


def test_one_stuck_session_does_not_stop_the_others(start, echo):
    gateway = start(workers=1)
    with servers.Server(servers.source(64 * MB, 9)) as server:
        stuck = [Client(gateway, receive_buffer=8192).connect(server.address) for _ in range(10)]
        for _ in range(50):
            with Client(gateway) as client:
                client.connect(echo.address).echo(b"z" * 10_000)
        for client in stuck:
            client.reset()
        for client in stuck:
            assert gateway.closing(client)["reason"] == "client-reset"


def test_idle_timeout(start):
    gateway = start(timeouts="idle = 1 half-closed = 1 stop = 2")
    with servers.Server(servers.hold) as server, Client(gateway) as client:
        client.connect(server.address).rest_or_reset()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("session.end", "idle-timeout")
    assert 0.9 < float(record["duration"]) < 8


def test_traffic_keeps_a_session_alive(start, echo):
    """In one direction is enough; the idle time starts again with every byte."""
    gateway = start(timeouts="idle = 2 half-closed = 1 stop = 2")
    with servers.Server(servers.hold) as server, Client(gateway) as client:
        client.connect(server.address)
        connection = server.wait_connection()
        for _ in range(10):
            stays(lambda: True, 0.3)
            connection.sendall(b"x")
            assert client.recv(1) == b"x"


def test_half_closed_timeout(start):
    gateway = start(timeouts="idle = 60 half-closed = 1 stop = 2")
    with servers.Server(servers.hold) as server, Client(gateway) as client:
        client.connect(server.address).shut().rest_or_reset()
        record = gateway.closing(client)
    assert record["reason"] == "half-closed-timeout" and 0.9 < float(record["duration"]) < 8


def test_small_messages_are_not_held_back(gateway, echo):
    """TCP_NODELAY on both sides: a thousand round trips take no Nagle delays of 40 ms."""
    import time
    with Client(gateway) as client:
        client.connect(echo.address)
        began = time.monotonic()
        for _ in range(500):
            client.echo(b"a")
            client.send(b"b").send(b"c")
            assert client.recv(2) == b"bc"
        assert time.monotonic() - began < 8


def bytes_in_pipes(pid):
    """(how many pipes the process has, bytes that lie in them)."""
    pipes = [fd for fd, target in gw.descriptors(pid).items() if target.startswith("pipe:")]
    total = 0
    for fd in pipes:
        copy = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK)
        total += struct.unpack("i", fcntl.ioctl(copy, termios.FIONREAD, b"\0" * 4))[0]
        os.close(copy)
    return len(pipes), total


@pytest.mark.skipif(not gw.ROOT, reason="another process's pipes are for root to open")
def test_idle_and_ended_sessions_hold_no_pipe(start):
    """Bulk sessions use the pool's pipes. None is left with bytes in it when their clients vanish in
    the middle, and none while they have nothing to move."""
    gateway = start(workers=1)
    worker = gateway.children("worker")[0]
    try:
        pipes, there = bytes_in_pipes(worker)
    except PermissionError as problem:
        pytest.skip(f"no right to open its descriptors: {problem}")
    assert pipes > 0 and there == 0
    with servers.Server(servers.source(64 * MB, 9)) as server:
        stuck = [Client(gateway, receive_buffer=8192).connect(server.address) for _ in range(5)]
        wait_until(lambda: bytes_in_pipes(worker)[1] > 0, 10, "they splice")
        for client in stuck:
            client.reset()
        for client in stuck:
            gateway.closing(client)
        assert bytes_in_pipes(worker) == (pipes, 0)
        with Client(gateway) as client:
            client.connect(server.address)
            assert len(client.rest()) == 64 * MB
            assert bytes_in_pipes(worker) == (pipes, 0)


def test_pipes_and_descriptors_come_back(start):
    """After bulk sessions the worker has the descriptors it had before."""
    gateway = start(workers=1)
    worker = gateway.children("worker")[0]
    count = lambda: len(gw.descriptors(worker))
    with servers.Server(servers.source(4 * MB, 3)) as server:
        try:
            before = settled(count)
        except PermissionError:
            pytest.skip("the worker's descriptors may be looked at by root only")
        for _ in range(5):
            clients = [Client(gateway).connect(server.address) for _ in range(20)]
            for client in clients:
                assert len(client.rest()) == 4 * MB
                client.close()
            for client in clients:
                gateway.closing(client)
    wait_until(lambda: count() == before, 5, f"back to {before} descriptors, now {count()}")

#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Processes of test_many.py, which need more descriptors than one process has.

many.py server             echoes; prints its port, serves until end of file on standard input
many.py clients PROXY-PORT SERVER-PORT COUNT
    opens COUNT sessions, prints "open N", then for each line on standard input: "echo" sends a
    message of its own through each session and checks what comes back, prints "echoed N"
"""
import resource
import select
import socket
import struct
import sys


def raise_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def server():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    poll, open_ones = select.epoll(), {}
    poll.register(listener, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == sys.stdin.fileno():
                return
            if fd == listener.fileno():
                connection, _ = listener.accept()
                connection.setblocking(False)
                open_ones[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
                continue
            try:
                data = open_ones[fd].recv(65536)
            except ConnectionResetError:
                data = b""
            if data:
                open_ones[fd].send(data)
            else:
                poll.unregister(fd)
                open_ones.pop(fd).close()


def start_sessions(proxy, target, count):
    """All at once, at most 500 of them on their way; a list of connected sockets."""
    ask = b"\x05\x01\x00" + b"\x05\x01\x00\x01\x7f\x00\x00\x01" + struct.pack("!H", target)
    answer = 2 + 10
    poll, waiting, ready, begun = select.epoll(), {}, [], 0
    while len(ready) < count:
        while begun < count and len(waiting) < 500:
            s = socket.create_connection(("127.0.0.1", proxy), 30)
            s.sendall(ask)
            waiting[s.fileno()] = [s, b""]
            poll.register(s, select.EPOLLIN)
            begun += 1
        events = poll.poll(30)
        if not events:
            sys.exit(f"{len(ready)} sessions, and no answer for 30 s")
        for fd, _ in events:
            entry = waiting[fd]
            data = entry[0].recv(answer - len(entry[1]))
            entry[1] += data
            if not data or entry[1][:2] != b"\x05\x00" or entry[1][3:4] not in (b"", b"\x00"):
                sys.exit(f"after {len(ready)} sessions: {entry[1]!r}")
            if len(entry[1]) == answer:
                poll.unregister(fd)
                ready.append(waiting.pop(fd)[0])
    return ready


def echo(sessions, turn):
    for i, s in enumerate(sessions):
        s.sendall(struct.pack("!II", i, turn))
    for i, s in enumerate(sessions):
        s.settimeout(30)
        got = s.recv(8, socket.MSG_WAITALL)
        if got != struct.pack("!II", i, turn):
            sys.exit(f"session {i} got {got!r}")


def clients(proxy, target, count):
    sessions = start_sessions(proxy, target, count)
    print(f"open {len(sessions)}", flush=True)
    for turn, line in enumerate(sys.stdin):
        if line.strip() == "echo":
            echo(sessions, turn)
            print(f"echoed {len(sessions)}", flush=True)


if __name__ == "__main__":
    raise_limit()
    if sys.argv[1] == "server":
        server()
    else:
        clients(*map(int, sys.argv[2:5]))

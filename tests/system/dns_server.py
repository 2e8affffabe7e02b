#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A small real DNS server of the tests' own: UDP and TCP on one port, a table of names and how each
of them behaves. As a library:

    with DnsServer() as dns:
        dns.set("www.example.test", a=["192.0.2.1"], aaaa=["2001:db8::1"], delay={"AAAA": 0.5})
        ... dns.port ... dns.count("www.example.test", "AAAA") ...

As a program it prints its port and obeys lines on standard input, each answered by one line, until
end of file:

    set NAME [a=A,..] [aaaa=A,..] [cname=NAME] [rcode=SERVFAIL] [delay-a=S] [delay-aaaa=S]
             [silent] [silent-a] [silent-aaaa] [drop=N] [truncate] [spoof] [rotate]     -> ok
    count NAME TYPE [udp|tcp]                                                           -> a number
    clear                                                                               -> ok

A name that is not in the table does not exist (NXDOMAIN).
"""
import argparse
import collections
import dataclasses
import heapq
import itertools
import selectors
import socket
import struct
import sys
import threading
import time

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "AAAA": 28, "ANY": 255}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
UDP_MAX = 512  # without EDNS, which nobody here asks for
CNAME_MAX = 16


@dataclasses.dataclass
class Behaviour:
    """How one name behaves. Neither a nor aaaa nor cname: it exists without data (NODATA)."""

    a: list = dataclasses.field(default_factory=list)
    aaaa: list = dataclasses.field(default_factory=list)
    cname: str = ""
    rcode: str = "NOERROR"
    fails: tuple = ()  # types that get rcode; none: all do
    delay: dict = dataclasses.field(default_factory=dict)  # type -> seconds before the answer
    silent: tuple = ()  # types that get no answer at all
    drop: int = 0  # the first so many questions are lost, each type counted for itself
    truncate: bool = False  # over UDP: no records and TC, so that the client comes by TCP
    spoof: bool = False  # before the answer: wrong id, wrong question, wrong port
    rotate: bool = False  # a different first address at each answer


class DnsServer:
    """Serves from a thread of its own between start() and stop(); also a context manager."""

    def __init__(self, address="127.0.0.1", default="NXDOMAIN"):
        self.default = default
        self.table = {}
        self.counts = collections.Counter()
        self.lock = threading.Lock()
        self.order = itertools.count()
        self.later = []
        self.selector = selectors.DefaultSelector()
        self.udp, self.tcp = _pair(address)
        self.stranger = socket.socket(self.udp.family, socket.SOCK_DGRAM)
        self.address, self.port = self.udp.getsockname()[:2]
        self.wake_out, self.wake_in = socket.socketpair()
        self.thread = None

    # --- for the test ---

    def set(self, name, **behaviour):
        with self.lock:
            self.table[name.lower()] = Behaviour(**behaviour)

    def clear(self):
        with self.lock:
            self.table.clear()
            self.counts.clear()

    def count(self, name, kind="A", transport=None):
        """Questions for that name and type so far; transport "udp" or "tcp" counts one of them."""
        with self.lock:
            return sum(number for (n, k, t), number in self.counts.items()
                       if (n, k) == (name.lower(), kind) and transport in (None, t))

    def start(self):
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        self.wake_in.close()
        if self.thread is not None:
            self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()
        for s in (self.udp, self.tcp, self.stranger, self.wake_out):
            s.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.stop()

    # --- the thread ---

    def _serve(self):
        self.selector.register(self.udp, selectors.EVENT_READ, self._udp_ready)
        self.selector.register(self.tcp, selectors.EVENT_READ, self._tcp_ready)
        self.selector.register(self.wake_out, selectors.EVENT_READ, None)
        while True:
            wait = None if not self.later else max(0.0, self.later[0][0] - time.monotonic())
            for key, _ in self.selector.select(wait):
                if key.data is None:
                    return
                key.data(key.fileobj)
            while self.later and self.later[0][0] <= time.monotonic():
                heapq.heappop(self.later)[2]()

    def _after(self, seconds, action):
        if seconds <= 0:
            action()
        else:
            heapq.heappush(self.later, (time.monotonic() + seconds, next(self.order), action))

    def _udp_ready(self, sock):
        for _ in range(256):
            try:
                packet, peer = sock.recvfrom(4096)
            except (BlockingIOError, ConnectionError):
                return
            self._question(packet, "udp", lambda answer, peer=peer: _send_to(sock, answer, peer),
                           lambda answer, peer=peer: _send_to(self.stranger, answer, peer))

    def _tcp_ready(self, listener):
        connection, _ = listener.accept()
        connection.setblocking(False)
        buffer = bytearray()
        self.selector.register(connection, selectors.EVENT_READ,
                               lambda s: self._tcp_data(s, buffer))

    def _tcp_data(self, connection, buffer):
        try:
            data = connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(connection)
            connection.close()
            return
        buffer += data
        while len(buffer) >= 2 and len(buffer) >= 2 + (length := struct.unpack_from("!H", buffer)[0]):
            packet = bytes(buffer[2:2 + length])
            del buffer[:2 + length]
            self._question(packet, "tcp", lambda answer: _send_frame(connection, answer), None)

    def _question(self, packet, transport, reply, reply_from_stranger):
        try:
            query = _parse(packet)
        except (struct.error, IndexError, UnicodeDecodeError):
            return
        with self.lock:
            asked = (query.name, query.kind, transport)
            self.counts[asked] += 1
            turn = sum(self.counts[query.name, query.kind, t] for t in ("udp", "tcp"))
            behaviour = self.table.get(query.name, Behaviour(rcode=self.default))
            if query.kind in behaviour.silent or turn <= behaviour.drop:
                return
            answer = self._answer(query, behaviour, transport, turn)
        if behaviour.spoof and reply_from_stranger is not None:
            reply(_message(query, [_record(query.name, "A", "203.0.113.66")], ident=query.ident ^ 1))
            other = dataclasses.replace(query, name="other.test", question=_name("other.test")
                                        + query.question[-4:])
            reply(_message(other, [_record("other.test", "A", "203.0.113.66")]))
            reply_from_stranger(_message(query, [_record(query.name, "A", "203.0.113.66")]))
        self._after(behaviour.delay.get(query.kind, 0), lambda: reply(answer))

    def _answer(self, query, behaviour, transport, turn):
        if behaviour.truncate and transport == "udp":
            return _message(query, [], truncated=True)
        if behaviour.rcode != "NOERROR" and query.kind in (behaviour.fails or (query.kind,)):
            return _message(query, [], rcode=RCODES[behaviour.rcode])
        records, rcode = self._records(query, behaviour, turn)
        answer = _message(query, records, rcode=rcode)
        if transport == "udp" and len(answer) > UDP_MAX:
            return _message(query, [], truncated=True)
        return answer

    def _records(self, query, behaviour, turn):
        records, name = [], query.name
        for _ in range(CNAME_MAX):
            if not behaviour.cname:
                break
            records.append(_record(name, "CNAME", behaviour.cname))
            name = behaviour.cname.lower()
            if name not in self.table:
                return records, RCODES["NXDOMAIN"]
            behaviour = self.table[name]
        found = {"A": behaviour.a, "AAAA": behaviour.aaaa}.get(query.kind, [])
        if behaviour.rotate and found:
            found = found[turn % len(found):] + found[:turn % len(found)]
        return records + [_record(name, query.kind, text) for text in found], RCODES["NOERROR"]


@dataclasses.dataclass
class Query:
    ident: int
    flags: int
    name: str
    kind: str
    question: bytes


def _parse(packet):
    ident, flags, questions = struct.unpack_from("!HHH", packet)
    at, labels = 12, []
    while packet[at] != 0:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii"))
        at += 1 + packet[at]
    kind, _ = struct.unpack_from("!HH", packet, at + 1)
    if questions != 1 or flags & 0x8000:
        raise IndexError("not a question")
    return Query(ident, flags, ".".join(labels).lower(), TYPE_NAMES.get(kind, str(kind)),
                 packet[12:at + 5])


def _message(query, records, rcode=0, truncated=False, ident=None):
    flags = 0x8480 | (query.flags & 0x0100) | (0x0200 if truncated else 0) | rcode
    head = struct.pack("!HHHHHH", query.ident if ident is None else ident, flags, 1, len(records), 0, 0)
    return head + query.question + b"".join(records)


def _record(name, kind, value):
    if kind == "A":
        data = socket.inet_pton(socket.AF_INET, value)
    elif kind == "AAAA":
        data = socket.inet_pton(socket.AF_INET6, value)
    else:
        data = _name(value)
    return _name(name) + struct.pack("!HHIH", TYPES[kind], 1, 60, len(data)) + data


def _name(text):
    return b"".join(bytes([len(l)]) + l.encode("ascii") for l in text.split(".") if l) + b"\0"


def _send_to(sock, answer, peer):
    try:
        sock.sendto(answer, peer)
    except OSError:
        pass  # the client went away, or its buffer is full: a datagram may get lost


def _send_frame(connection, answer):
    try:
        connection.setblocking(True)
        connection.sendall(struct.pack("!H", len(answer)) + answer)
        connection.setblocking(False)
    except OSError:
        pass  # the client went away


def _pair(address):
    """A UDP and a TCP socket on the same free port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(100):
        udp = socket.socket(family, socket.SOCK_DGRAM)
        tcp = socket.socket(family, socket.SOCK_STREAM)
        try:
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            udp.setblocking(False)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            udp.bind((address, 0))
            tcp.bind((address, udp.getsockname()[1]))
            tcp.listen(64)
            return udp, tcp
        except OSError:
            udp.close()
            tcp.close()
    raise OSError("no port is free for UDP and TCP together")


# --- the program ---


def _behaviour(words):
    fields = {"delay": {}, "silent": ()}
    for word in words:
        key, _, value = word.partition("=")
        if key in ("a", "aaaa"):
            fields[key] = value.split(",")
        elif key in ("cname", "rcode"):
            fields[key] = value
        elif key in ("delay-a", "delay-aaaa"):
            fields["delay"][key[6:].upper()] = float(value)
        elif key in ("silent", "silent-a", "silent-aaaa"):
            fields["silent"] += ("A", "AAAA") if key == "silent" else (key[7:].upper(),)
        elif key == "drop":
            fields["drop"] = int(value)
        elif key in ("truncate", "spoof", "rotate"):
            fields[key] = True
        else:
            raise ValueError(f"unknown word {word!r}")
    return fields


def _obey(dns, line):
    verb, *words = line.split()
    if verb == "set":
        dns.set(words[0], **_behaviour(words[1:]))
        return "ok"
    if verb == "count":
        return str(dns.count(*words))
    if verb == "clear":
        dns.clear()
        return "ok"
    raise ValueError(f"unknown verb {verb!r}")


def main():
    parser = argparse.ArgumentParser(description="a DNS server for tests")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--default", default="NXDOMAIN", choices=sorted(RCODES))
    options = parser.parse_args()
    with DnsServer(options.address, options.default) as dns:
        print(dns.port, flush=True)
        for line in sys.stdin:
            if line.strip():
                try:
                    print(_obey(dns, line), flush=True)
                except (ValueError, TypeError, IndexError) as problem:
                    print(f"error: {problem}", flush=True)


if __name__ == "__main__":
    main()

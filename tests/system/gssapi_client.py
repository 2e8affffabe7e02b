# SPDX-License-Identifier: ISC
"""A SOCKS 5 client with GSS-API (RFC 1961) on python3-gssapi. Frames are made by hand and messages by
libgssapi: nothing here is shared with the gateway's own code."""
import struct

import gssapi
import gssapi.raw

import socks
from realm import using

GSSAPI = 0x01
CONTEXT, LEVEL, DATA = 1, 2, 3
REFUSAL = b"\x01\xff"
NONE, INTEGRITY, CONFIDENTIALITY, SELECTIVE = 0, 1, 2, 3
NAMES = {0: "none", 1: "integrity", 2: "confidentiality", 3: "selective"}
KRB5 = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2")
SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
Flag = gssapi.RequirementFlag
FLAGS = (Flag.mutual_authentication, Flag.replay_detection, Flag.out_of_sequence_detection,
         Flag.confidentiality, Flag.integrity)
PLAIN_MAX = 65000  # fits a message with any enctype and level


def frame(mtyp, token=b"", version=1):
    return bytes([version, mtyp]) + struct.pack("!H", len(token)) + token


class Context:
    """An initiator's context. flags without mutual_authentication: established after one token."""

    def __init__(self, ticket, service="rcmd@localhost", mech=KRB5, flags=FLAGS):
        self.ticket = ticket
        with using(ticket.config):
            name = gssapi.Name(service, gssapi.NameType.hostbased_service)
            creds = gssapi.Credentials(usage="initiate", mechs=[mech],
                                       store={"ccache": f"FILE:{ticket.path}"})
            self.gss = gssapi.SecurityContext(name=name, creds=creds, mech=mech, flags=flags,
                                              usage="initiate")
        self.first = self.step()

    def step(self, token=None):
        with using(self.ticket.config):
            return self.gss.step(token)

    @property
    def complete(self):
        return self.gss.complete

    def wrap(self, data, confidential):
        wrapped = self.gss.wrap(bytes(data), confidential)
        assert wrapped.encrypted == confidential
        return wrapped.message

    def unwrap(self, token):
        """(bytes, whether it was confidential)"""
        plain, encrypted, _ = self.gss.unwrap(bytes(token))
        return plain, encrypted


class GssClient(socks.Client):
    """What socks.Client sends and receives is raw; put() and get() are protected."""

    def __init__(self, gateway, ticket=None, deadline=socks.DEADLINE, receive_buffer=None, **keys):
        self.context = Context(ticket, **keys) if ticket else None
        super().__init__(gateway, deadline, receive_buffer=receive_buffer)
        self.level = None
        self.plain = bytearray()  # opened and not yet asked for

    # --- the login ---

    def offer(self, *methods):
        self.send(socks.hello(*(methods or (GSSAPI,))))
        assert self.recv(2) == bytes([5, GSSAPI])
        return self

    def message(self, mtyp):
        """The token of the next message, which is of this type."""
        version, kind = self.recv(2)
        assert (version, kind) == (1, mtyp), f"{version:02x} {kind:02x}, wanted type {mtyp}"
        return self.recv(struct.unpack("!H", self.recv(2))[0])

    def rounds(self, token=None):
        """Tokens to and fro until the context stands; the last token of the gateway."""
        token = self.context.first if token is None else token
        last = None
        while token is not None:
            self.send(frame(CONTEXT, token))
            last = self.message(CONTEXT)
            token = None if self.context.complete else self.context.step(last or None)
        assert self.context.complete
        return last

    def log_in(self):
        self.offer().rounds()
        return self

    def propose(self, level, bare=False):
        """The level the gateway answers; bare: the NEC form."""
        octet = bytes([level])
        self.send(frame(LEVEL, octet if bare else self.context.wrap(octet, False)))
        return self.agreed(bare)

    def agreed(self, bare=False):
        token = self.message(LEVEL)
        if bare:
            plain = token
        else:
            plain, confidential = self.context.unwrap(token)
            assert not confidential
        assert len(plain) == 1, plain
        self.level = plain[0]
        return self.level

    def refused(self):
        """01 FF and a clean end of the stream."""
        assert self.recv(2) == REFUSAL
        self.ends()

    # --- protected bytes ---

    @property
    def confidential(self):
        return self.level in (CONFIDENTIALITY, SELECTIVE)

    def seal(self, data, confidential=None):
        """One message, not sent."""
        confidential = self.confidential if confidential is None else confidential
        return frame(DATA, self.context.wrap(data, confidential))

    def seal_all(self, data):
        return b"".join(self.seal(data[i:i + PLAIN_MAX]) for i in range(0, len(data), PLAIN_MAX))

    def put(self, data):
        return self.send(self.seal_all(data))

    def open(self):
        """The next message: (bytes, whether it was confidential)."""
        return self.context.unwrap(self.message(DATA))

    def get(self, count):
        """Exactly so many bytes out of messages, each protected as agreed."""
        while len(self.plain) < count:
            plain, confidential = self.open()
            assert confidential == self.confidential, f"level {self.level}: {confidential}"
            self.plain += plain
        data = bytes(self.plain[:count])
        del self.plain[:count]
        return data

    def get_rest(self):
        """To the end of the stream, which does not come inside a message."""
        while head := self.sock.recv(1):
            version, (kind,) = head[0], self.recv(1)
            assert (version, kind) == (1, DATA)
            plain, confidential = self.context.unwrap(self.recv(struct.unpack("!H", self.recv(2))[0]))
            assert confidential == self.confidential
            self.plain += plain
        data = bytes(self.plain)
        self.plain.clear()
        return data

    def reply(self):
        """The gateway's reply: protected when a level is."""
        if not self.level:
            return super().reply()
        version, code, reserved, atyp = self.get(4)
        assert (version, reserved) == (5, 0) and atyp in (socks.IPV4, socks.IPV6)
        family, size = ((socks.socket.AF_INET, 4) if atyp == socks.IPV4
                        else (socks.socket.AF_INET6, 16))
        ip = socks.socket.inet_ntop(family, self.get(size))
        return socks.Reply(code, atyp, ip, struct.unpack("!H", self.get(2))[0])

    def ask(self, host, port, command=socks.CONNECT):
        request = socks.request(host, port, command)
        if self.level:
            self.put(request)
        else:
            self.send(request)
        return self.reply()

    def connect(self, target, level=CONFIDENTIALITY):
        """All the way to a relaying session at exactly this level."""
        assert self.log_in().propose(level) == level
        reply = self.ask(*target)
        assert reply.code == 0, f"reply {reply}"
        return self

    def echo(self, data=b"ping"):
        """Through an echo server and back."""
        if not self.level:
            return super().echo(data)
        self.put(data)
        assert self.get(len(data)) == data
        return self

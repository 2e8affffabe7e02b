# SPDX-License-Identifier: ISC
"""Rules: what each key matches, which rule decides, and what stays closed whatever a rule says.

Where a rule must allow and nothing answers behind it, the proof is request.failed with rule= that
title: TEST-NET addresses lead nowhere."""
import errno
import socket

import pytest

import gateway as gw
import socks
from gateway import rule
from socks import Client

@pytest.fixture
def ruled(start, dns):
    def begin(*rules, **keys):
        keys.setdefault("timeouts", "connect = 3 stop = 2")
        return start(rules=rules, extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = 3 '
                     'attempts = 1 }', **keys)
    return begin


def verdicts(gateway, *targets, user=None, source=None, password="wonderland"):
    """All at once: for each target what the audit says, (allowed, rule or reason)."""
    clients = []
    for host, port in targets:
        client = Client(gateway, source=source)
        if user:
            assert client.log_in(user, password) == 0
        else:
            client.greet()
        client.send(socks.request(host, port))
        clients.append(client)
    found = []
    for client in clients:
        code = client.reply().code
        client.close()
        record = gateway.closing(client)
        denied = record["event"] == "request.denied"
        assert denied == (code == 2 and record["reason"] != "prohibited"), record
        found.append((not denied, record.get("rule", record["reason"])))
    return found


def test_no_rules_refuse_all(ruled):
    gateway = ruled(rule("elsewhere", destination=["198.51.100.0/24"]))
    assert verdicts(gateway, ("192.0.2.1", 80), ("2001:db8::1", 80)) == [(False, "no-rule")] * 2


def test_first_match_wins(ruled):
    gateway = ruled(rule("not this", action="deny", destination=["192.0.2.7/32"]),
                    rule("this net", destination=["192.0.2.0/24"]),
                    rule("never reached", action="deny", destination=["192.0.2.8/32"]),
                    rule("the rest", action="deny"))
    assert verdicts(gateway, ("192.0.2.7", 80), ("192.0.2.8", 80), ("198.51.100.1", 80)) == [
        (False, "not this"), (True, "this net"), (False, "the rest")]


def test_prefixes(ruled):
    gateway = ruled(rule("four", destination=["192.0.2.128/25"]), rule("six", destination=["2001:db8:5::/48"]),
                    rule("one", destination=["192.0.2.5"]))
    assert verdicts(gateway, ("192.0.2.127", 80), ("192.0.2.128", 80), ("192.0.2.255", 80),
                    ("192.0.2.5", 80), ("2001:db8:5:ffff::1", 80), ("2001:db8:6::1", 80),
                    ("::ffff:192.0.2.200", 80)) == [
        (False, "no-rule"), (True, "four"), (True, "four"), (True, "one"), (True, "six"),
        (False, "no-rule"), (True, "four")]


def test_names(ruled, dns):
    gateway = ruled(rule("below", destination=["*.example.test"]), rule("exact", destination=["host.test"]))
    for name in ("example.test", "a.example.test", "a.b.example.test", "xexample.test", "host.test",
                 "sub.host.test"):
        dns.set(name, a=["192.0.2.1"])
    names = ["example.test", "a.example.test", "A.b.Example.TEST.", "xexample.test", "host.test", "sub.host.test"]
    assert verdicts(gateway, *((name, 80) for name in names)) == [
        (False, "no-rule"), (True, "below"), (True, "below"), (False, "no-rule"), (True, "exact"),
        (False, "no-rule")]


def test_a_name_glob_says_nothing_about_addresses(ruled):
    gateway = ruled(rule("names", destination=["*.example.test"]))
    assert verdicts(gateway, ("192.0.2.1", 80)) == [(False, "no-rule")]


def test_deny_by_prefix_beats_the_name_below(ruled, dns):
    gateway = ruled(rule("closed net", action="deny", destination=["192.0.2.0/24"]),
                    rule("names", destination=["*.example.test"]))
    dns.set("in.example.test", a=["192.0.2.1"])
    dns.set("out.example.test", a=["198.51.100.1"])
    dns.set("both.example.test", a=["192.0.2.1", "198.51.100.1"])
    assert verdicts(gateway, ("in.example.test", 80), ("out.example.test", 80), ("both.example.test", 80)) == [
        (False, "closed net"), (True, "names"), (True, "names")]
    addresses = {r["address"] for r in gateway.events() if "address" in r}
    assert addresses == {"198.51.100.1:80"}, "only judged addresses are dialled"


def test_a_name_refused_whatever_its_address_is_not_asked_for(ruled, dns):
    gateway = ruled(rule("closed", action="deny", destination=["*.closed.test"]), rule("rest"))
    dns.set("www.closed.test", a=["192.0.2.1"])
    assert verdicts(gateway, ("www.closed.test", 80)) == [(False, "closed")]
    assert dns.count("www.closed.test") == dns.count("www.closed.test", "AAAA") == 0


def test_ports(ruled):
    gateway = ruled(rule("web", destination=["192.0.2.0/24"], port=["443", "8000-8999"]))
    ports = [442, 443, 444, 7999, 8000, 8999, 9000, 0, 65535]
    assert [allowed for allowed, _ in verdicts(gateway, *(("192.0.2.1", p) for p in ports))] == [
        False, True, False, False, True, True, False, False, False]


def test_clients(ruled):
    gateway = ruled(rule("near", client=["127.0.0.2/32"], destination=["192.0.2.0/24"]),
                    rule("v6", client=["::1/128"], destination=["192.0.2.0/24"]),
                    listen=["127.0.0.1:0", "[::1]:0"])
    assert verdicts(gateway, ("192.0.2.1", 80), source="127.0.0.2") == [(True, "near")]
    four, six = gateway.listening
    for address, source in ((four, "127.0.0.1"), (four, "127.0.0.3")):
        with Client(address, source=source) as client:
            client.send(socks.hello(0))
            assert client.rest() == b"\x05\xff", "no rule could accept this client"
    with Client(six) as client:
        assert client.greet().ask("192.0.2.1", 80).code != 2
    assert gateway.closing(client)["rule"] == "v6"


def ipv4_port_is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError as error:
            assert error.errno == errno.EADDRINUSE
            return False
    return True


def test_ipv4_clients_of_a_mapped_listener_do_not_exist(ruled):
    """[::]:port is IPv6 only, always: the same port can serve IPv4 beside it. The kernel draws the
    port, which somebody else's IPv4 socket may have: a dual-stack listener would have every one."""
    assert any(ipv4_port_is_free(ruled(rule("all"), listen=["[::]:0"]).port) for _ in range(5))


def test_users(ruled):
    users = "".join(gw.user_line(name, "pw") for name in ("alice", "Alice", "bob@EXAMPLE.COM", "carol"))
    gateway = ruled(rule("exact", user=["alice"], destination=["192.0.2.1/32"]),
                    rule("realm", user=["*@EXAMPLE.COM"], destination=["192.0.2.2/32"]),
                    rule("none of these", action="deny", user=["c*"]),
                    rule("everybody", user=["*"], destination=["192.0.2.3/32"]),
                    methods=["userpass"], users=users)
    targets = [("192.0.2.1", 80), ("192.0.2.2", 80), ("192.0.2.3", 80)]
    no = (False, "no-rule")
    expected = {"alice": [(True, "exact"), no, (True, "everybody")],
                "Alice": [no, no, (True, "everybody")],
                "bob@EXAMPLE.COM": [no, (True, "realm"), (True, "everybody")],
                "carol": [(False, "none of these")] * 3}
    for user, verdict in expected.items():
        assert verdicts(gateway, *targets, user=user, password="pw") == verdict, user


def test_user_rules_never_match_without_authentication(ruled):
    gateway = ruled(rule("users", user=["*"]), rule("open", destination=["192.0.2.1/32"]), methods=["none"])
    assert verdicts(gateway, ("192.0.2.1", 80), ("192.0.2.2", 80)) == [(True, "open"), (False, "no-rule")]


def test_methods(ruled):
    gateway = ruled(rule("known", method=["userpass"], destination=["192.0.2.1/32"]),
                    rule("anybody", method=["none"], destination=["192.0.2.2/32"]),
                    methods=["userpass", "none"])
    targets = [("192.0.2.1", 80), ("192.0.2.2", 80)]
    assert verdicts(gateway, *targets) == [(False, "no-rule"), (True, "anybody")]
    assert verdicts(gateway, *targets, user="alice") == [(True, "known"), (False, "no-rule")]


def test_methods_of_a_listener(start, echo):
    """Each listener's own list overrides the general one."""
    gateway = start(start=False, methods=["none"], listen=["127.0.0.1:0", "127.0.0.2:0"],
                    userpass="processes = 1")
    text = gateway.config_path.read_text().replace(
        'listen "127.0.0.2:0" { }', 'listen "127.0.0.2:0" { methods = { "userpass" } }\n'
        f'userpass {{ file = "{gateway.users}" processes = 1 }}')
    gateway.configure(text)
    gateway.start()
    open_one, closed_one = gateway.listening
    with Client(open_one) as client:
        client.connect(echo.address).echo()
    with Client(closed_one, source="127.0.0.2") as client:
        client.send(socks.hello(0))
        assert client.rest() == b"\x05\xff"
    with Client(closed_one) as client:
        client.connect(echo.address, "alice").echo()
    assert gateway.closing(client)["listener"] == "127.0.0.2:0"


def test_commands(ruled):
    gateway = ruled(rule("bind only", command=["bind", "udp"], destination=["192.0.2.1/32"]),
                    rule("connect", command=["connect"], destination=["192.0.2.2/32"]))
    assert verdicts(gateway, ("192.0.2.1", 80), ("192.0.2.2", 80)) == [(False, "no-rule"), (True, "connect")]


# --- special destinations ---

SPECIAL = ["127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "255.255.255.255",
           "::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1",
           "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2002:a9fe:a9fe::1"]


@pytest.mark.parametrize("how", ["absent list", "whole space", "names"])
def test_special_destinations_are_closed(ruled, how):
    lists = {"absent list": {}, "whole space": {"destination": ["0.0.0.0/0", "::/0"]},
             "names": {"destination": ["*", "0.0.0.0/0", "::/0"]}}[how]
    gateway = ruled(rule("all", **lists))
    got = verdicts(gateway, *((address, 80) for address in SPECIAL))
    assert [allowed for allowed, _ in got] == [False] * len(SPECIAL)
    reasons = {r["reason"] for r in gateway.events() if r["event"] == "request.denied"}
    assert reasons == {"special-destination"}


def test_dns_rebinding(ruled, dns, echo):
    """A name that anybody may have leads to what the rules close."""
    gateway = ruled(rule("web", destination=["*.example.test"]), rule("all"))
    for i, address in enumerate(("127.0.0.1", "0.0.0.0", "169.254.169.254")):
        dns.set(f"four{i}.example.test", a=[address])
    for i, address in enumerate(("::1", "::ffff:127.0.0.1", "::", "64:ff9b::7f00:1")):
        dns.set(f"six{i}.example.test", aaaa=[address])
    names = [f"four{i}.example.test" for i in range(3)] + [f"six{i}.example.test" for i in range(4)]
    assert [allowed for allowed, _ in verdicts(gateway, *((n, echo.port) for n in names))] == [False] * 7
    records = [r for r in gateway.events() if r["event"] == "request.denied"]
    assert {r["reason"] for r in records} == {"special-destination"}
    assert {r["rule"] for r in records} == {"web"}


def test_a_good_address_beside_a_closed_one(ruled, dns, echo):
    gateway = ruled(rule("one", destination=["127.0.0.1/32"]))
    dns.set("mixed.example.test", a=["127.0.0.9", "127.0.0.1", "169.254.1.1"], aaaa=["::1"])
    with Client(gateway) as client:
        assert client.greet().ask("mixed.example.test", echo.port).code == 0
        client.echo()
    assert gateway.closing(client)["address"] == f"127.0.0.1:{echo.port}"


def test_a_prefix_inside_opens(ruled, echo, echo6):
    gateway = ruled(rule("net", destination=["127.0.0.0/8"]), rule("host", destination=["::1/128"]))
    for server, title in ((echo, "net"), (echo6, "host")):
        with Client(gateway) as client:
            assert client.greet().ask(*server.address).code == 0
        assert gateway.closing(client)["rule"] == title


def test_a_wider_prefix_does_not_open(ruled, echo):
    gateway = ruled(rule("too wide", destination=["126.0.0.0/7"]))
    with Client(gateway) as client:
        assert client.greet().ask(*echo.address).code == 2
    assert gateway.closing(client)["reason"] == "special-destination"


def test_deny_can_close_what_is_open(ruled, echo):
    gateway = ruled(rule("shut", action="deny", destination=["127.0.0.1/32"], port=[str(echo.port)]),
                    rule("open", destination=["127.0.0.0/8"]))
    with Client(gateway) as client:
        assert client.greet().ask(*echo.address).code == 2
    record = gateway.closing(client)
    assert (record["reason"], record["rule"]) == ("rule", "shut")

# SPDX-License-Identifier: ISC
"""Names: canonical form, every way a resolver can fail, Happy Eyeballs. The DNS server is ours."""
import time

import pytest

import gateway as gw
import servers
import socks
from socks import Client
from waiting import wait_until


@pytest.fixture
def named(start, dns):
    """A gateway that asks our server, and opens loopback and two prefixes that lead nowhere."""
    def begin(resolver="", timeout=6, **keys):
        keys.setdefault("timeouts", "connect = 9 stop = 2")
        keys.setdefault("rules", [gw.rule("names", destination=["127.0.0.0/8", "::1/128"])])
        return start(extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = {timeout} attempts = 1 '
                     f'hosts = false {resolver} }}', **keys)
    return begin


def ask(gateway, name, port):
    began = time.monotonic()
    with Client(gateway) as client:
        reply = client.greet().ask(name, port)
        took = time.monotonic() - began
        if reply.code == 0:
            client.echo(b"through").shut().ends()
        else:
            client.ends()
    return reply, gateway.closing(client), took


def test_a_name(named, dns, echo):
    gateway = named()
    dns.set("www.example.test", a=["127.0.0.1"])
    reply, record, _ = ask(gateway, "www.example.test", echo.port)
    assert reply.code == 0
    assert record["destination"] == f"www.example.test:{echo.port}"
    assert record["address"] == f"127.0.0.1:{echo.port}" and record["rule"] == "names"


@pytest.mark.parametrize("name", ["WWW.Example.TEST", "www.example.test.", "WWW.EXAMPLE.TEST."])
def test_canonical_form(named, dns, echo, name):
    """Case and one trailing dot do not matter; rules, DNS and audit see one form."""
    gateway = named(rules=[gw.rule("canonical", destination=["www.example.test", "127.0.0.1/32"])])
    dns.set("www.example.test", a=["127.0.0.1"])
    reply, record, _ = ask(gateway, name, echo.port)
    assert reply.code == 0 and record["destination"] == f"www.example.test:{echo.port}"


def test_longest_name(named, dns, echo):
    gateway = named()
    name = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert len(name) == 253
    dns.set(name, a=["127.0.0.1"])
    reply, record, _ = ask(gateway, name + ".", echo.port)
    assert reply.code == 0 and record["destination"] == f"{name}:{echo.port}"


def test_ipv6_name(named, dns, echo6):
    gateway = named()
    dns.set("six.example.test", aaaa=["::1"])
    reply, record, _ = ask(gateway, "six.example.test", echo6.port)
    assert (reply.code, reply.atyp) == (0, socks.IPV6) and record["address"] == f"[::1]:{echo6.port}"


def test_cname(named, dns, echo):
    gateway = named()
    dns.set("alias.example.test", cname="real.example.test")
    dns.set("real.example.test", a=["127.0.0.1"])
    assert ask(gateway, "alias.example.test", echo.port)[0].code == 0


def test_truncated_answer_comes_by_tcp(named, dns, echo):
    gateway = named()
    dns.set("big.example.test", a=["127.0.0.1"], truncate=True)
    assert ask(gateway, "big.example.test", echo.port)[0].code == 0


def test_spoofed_answers_are_ignored(named, dns, echo):
    gateway = named()
    dns.set("spoofed.example.test", a=["127.0.0.1"], spoof=True)
    reply, record, _ = ask(gateway, "spoofed.example.test", echo.port)
    assert reply.code == 0 and record["address"].startswith("127.0.0.1:")


@pytest.mark.parametrize("behaviour,reason", [
    (None, "nxdomain"), ({}, "no-address"), ({"rcode": "SERVFAIL"}, "servfail"),
    ({"rcode": "REFUSED"}, "servfail"), ({"silent": ("A", "AAAA")}, "dns-timeout"),
    ({"cname": "nowhere.example.test"}, "nxdomain")],
    ids=["nxdomain", "nodata", "servfail", "refused", "timeout", "dangling-cname"])
def test_failures(named, dns, behaviour, reason):
    gateway = named(timeout=1 if reason == "dns-timeout" else 6)
    if behaviour is not None:
        dns.set("bad.example.test", **behaviour)
    reply, record, took = ask(gateway, "bad.example.test", 80)
    assert reply.code == 4
    assert (record["event"], record["reason"]) == ("request.failed", reason)
    assert record["destination"] == "bad.example.test:80" and "address" not in record
    assert took < 5


def test_no_server_answers_at_all(start):
    """The port is closed: an answer comes anyway, and soon."""
    holder, port = servers.dead_port()
    with holder:
        gateway = start(extra=f'resolver {{ servers = {{ "127.0.0.1:{port}" }} timeout = 1 attempts = 1 }}')
        reply, record, took = ask(gateway, "www.example.test", 80)
    assert reply.code == 4 and record["reason"] in ("dns-timeout", "servfail") and took < 5


def test_no_search_list(named, dns):
    gateway = named()
    reply, record, _ = ask(gateway, "single", 80)
    assert reply.code == 4 and record["reason"] == "nxdomain"
    asked = {name for name, _, _ in dns.counts}
    assert asked == {"single"}


def test_slow_aaaa_does_not_hold_up_ipv4(named, dns, echo):
    gateway = named()
    dns.set("slow.example.test", a=["127.0.0.1"], aaaa=["::1"], delay={"AAAA": 5})
    reply, record, took = ask(gateway, "slow.example.test", echo.port)
    assert reply.code == 0 and record["address"].startswith("127.0.0.1:") and took < 4


def test_silent_aaaa_does_not_hold_up_ipv4(named, dns, echo):
    gateway = named()
    dns.set("silent.example.test", a=["127.0.0.1"], silent=("AAAA",))
    reply, _, took = ask(gateway, "silent.example.test", echo.port)
    assert reply.code == 0 and took < 4


def test_slow_a_behind_a_refused_ipv6(named, dns, echo):
    """IPv6 came first and is refused; the session waits for the IPv4 answer."""
    gateway = named()
    dns.set("late.example.test", aaaa=["::1"], a=["127.0.0.1"], delay={"A": 0.5})
    reply, record, _ = ask(gateway, "late.example.test", echo.port)
    assert reply.code == 0 and record["address"].startswith("127.0.0.1:")


def test_servfail_of_one_family(named, dns, echo):
    gateway = named()
    dns.set("half.example.test", a=["127.0.0.1"], rcode="SERVFAIL", fails=("AAAA",))
    reply, _, took = ask(gateway, "half.example.test", echo.port)
    assert reply.code == 0 and took < 4
    assert dns.count("half.example.test", "AAAA") > 0


@pytest.mark.parametrize("dead", ["::1", "127.0.0.3"])
def test_a_dead_first_address_costs_a_quarter_of_a_second(named, dns, echo, dead):
    gateway = named()
    family = {"aaaa": ["::1"], "a": ["127.0.0.1"]} if ":" in dead else {"a": [dead, "127.0.0.1"]}
    dns.set("dead.example.test", **family)
    with servers.Full(dead, echo.port):
        reply, record, took = ask(gateway, "dead.example.test", echo.port)
    assert reply.code == 0 and record["address"].startswith("127.0.0.1:")
    assert 0.2 < took < 4


def test_all_addresses_refuse(named, dns):
    gateway = named()
    holder, port = servers.dead_port()
    dns.set("shut.example.test", a=["127.0.0.1", "127.0.0.2"], aaaa=["::1"])
    with holder:
        reply, record, took = ask(gateway, "shut.example.test", port)
    assert (reply.code, record["reason"]) == (5, "connection-refused") and took < 5


def test_connect_timeout(named, dns):
    gateway = named(timeouts="connect = 1 stop = 2")
    holder, port = servers.dead_port("127.0.0.1")
    dns.set("dead.example.test", a=["127.0.0.3"])
    with holder, servers.Full("127.0.0.3", port):
        reply, record, took = ask(gateway, "dead.example.test", port)
    assert (reply.code, record["reason"]) == (4, "connect-timeout") and 0.8 < took < 6
    assert record["address"] == f"127.0.0.3:{port}"


@pytest.mark.parametrize("prefer,first", [("ipv4", "127.0.0.1"), ("ipv6", "[::1]"), ("any", "[::1]")])
def test_prefer(named, dns, prefer, first):
    gateway = named(resolver=f'prefer = "{prefer}"')
    with servers.Server(servers.echo) as four, servers.Server(servers.echo, "::1") as six:
        dns.set("both.example.test", a=["127.0.0.1"], aaaa=["::1"])
        port = four.port if prefer == "ipv4" else six.port
        reply, record, _ = ask(gateway, "both.example.test", port)
    assert reply.code == 0 and record["address"] == f"{first}:{port}"


def test_hosts_file_comes_first(start, dns, echo):
    """Every Debian's /etc/hosts knows localhost; our DNS server says it is elsewhere."""
    gateway = start(extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} }}',
                    rules=[gw.rule("loopback", destination=["127.0.0.1/32"])])
    dns.set("localhost", a=["127.0.0.9"])
    reply, record, _ = ask(gateway, "LocalHost", echo.port)
    assert reply.code == 0 and record["address"] == f"127.0.0.1:{echo.port}"
    assert dns.count("localhost") == 0


@pytest.mark.skipif(not gw.ROOT, reason="another /etc/hosts needs a mount namespace, thus root")
def test_hosts_file_and_resolv_conf_are_looked_at_again(start, dns, echo, base):
    """A line added to /etc/hosts is known within the broker's 5 seconds."""
    hosts = base / "hosts"
    hosts.write_text("127.0.0.1 localhost first.example.test\n")
    gateway = start(outer=["unshare", "--mount", "bash", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"',
                           str(hosts)],
                    extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} }}')
    assert ask(gateway, "first.example.test", echo.port)[0].code == 0
    assert ask(gateway, "second.example.test", echo.port)[0].code == 4
    with open(hosts, "a") as file:
        file.write("127.0.0.1 second.example.test\n")
    wait_until(lambda: ask(gateway, "second.example.test", echo.port)[0].code == 0, 10,
               "the new line is known")


def test_a_client_that_gives_up_while_resolving(named, dns):
    gateway = named(timeouts="connect = 30 stop = 2", resolver="")
    dns.set("quiet.example.test", silent=("A", "AAAA"))
    client = Client(gateway)
    client.greet().send(socks.request("quiet.example.test", 80))
    wait_until(lambda: dns.count("quiet.example.test"), 5)
    client.reset()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "client-gone")


def test_many_names_at_once(named, dns, echo):
    gateway = named()
    for i in range(200):
        dns.set(f"n{i}.example.test", a=["127.0.0.1"])
    clients = [Client(gateway).greet() for _ in range(200)]
    for i, client in enumerate(clients):
        client.send(socks.request(f"n{i}.example.test", echo.port))
    for i, client in enumerate(clients):
        assert client.reply().code == 0, i
    for client in clients:
        client.echo().close()

# SPDX-License-Identifier: ISC
"""The keytab: keys that change under a running gateway, keytabs that are refused, and what `-t` says of
them."""
import itertools
import grp
import os
import pwd
import signal

import pytest

import gateway as gw
from gssapi_client import CONTEXT, GssClient, frame
from realm import NUMBERS, Key, keys_of, keytab_bytes

USERS = 'user = "games"\nauth-user = "nobody"\nlog-user = "daemon"\n'  # accounts of every Debian
_numbers = itertools.count(1)


@pytest.fixture
def service(realm):
    """A service of the test's own, rcmd/NAME, whose keys may change."""
    return realm.service(f"rcmd/host{next(_numbers)}.example")


def gss_name(service):
    return service.replace("/", "@")


def logs_in(gateway, ticket, service, echo=None):
    """Whether the gateway lets this ticket in."""
    with GssClient(gateway, ticket, service=gss_name(service)) as client:
        client.offer().send(frame(CONTEXT, client.context.first))
        return client.recv(2) == b"\x01\x01"


def refusal(gateway, ticket, service):
    """The word of a login that the pool refuses."""
    with GssClient(gateway, ticket, service=gss_name(service)) as client:
        client.offer().send(frame(CONTEXT, client.context.first))
        client.refused()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("auth.failure", "bad-credentials")
    return record["detail"]


def only(keytab, choose):
    return keytab_bytes([key for key in keys_of(keytab) if choose(key)])


# --- keys that change ---


@pytest.mark.sanitizers
def test_rotation_without_a_restart(start, realm, service):
    old_keytab = realm.keytab(service)
    gateway = start(realm=realm, keytab=old_keytab)
    old_ticket = realm.service_ticket(service)
    assert logs_in(gateway, old_ticket, service)
    realm.rekey(service)
    new_ticket = realm.service_ticket(service)
    assert refusal(gateway, new_ticket, service) == "key-version-not-found"
    both = realm.keytab(service)
    assert {key.kvno for key in keys_of(both)} == {1, 2}
    gateway.write_keytab(both)
    gw.wait_until(lambda: logs_in(gateway, new_ticket, service), 10, "the new key")
    assert logs_in(gateway, old_ticket, service), "both versions work while both are there"
    assert gateway.wait_event("gateway.reload")
    gateway.write_keytab(only(both, lambda key: key.kvno == 2))
    gateway.signal(signal.SIGHUP)
    gw.wait_until(lambda: not logs_in(gateway, old_ticket, service), 10, "the old key is gone")
    assert logs_in(gateway, new_ticket, service)


@pytest.mark.sanitizers
def test_rotation_in_place(start, realm, service):
    """As ktadd -k does it: into the file that is there. What is cut short on the way is not adopted."""
    gateway = start(realm=realm, keytab=realm.keytab(service))
    old_ticket = realm.service_ticket(service)
    realm.run("kadmin", f'ktadd -k {gateway.keytab} "{service}"')
    new_ticket = realm.service_ticket(service)
    gw.wait_until(lambda: logs_in(gateway, new_ticket, service), 10, "the new key")
    assert logs_in(gateway, old_ticket, service)
    whole = gateway.keytab.read_bytes()
    os.truncate(gateway.keytab, len(whole) - 7)
    gw.wait_until(lambda: [r for r in gateway.events() if r.get("reason") == "file-refused"
                           and r["detail"].endswith("the file ends inside an entry")], 10)
    assert logs_in(gateway, new_ticket, service) and logs_in(gateway, old_ticket, service)
    gateway.keytab.write_bytes(only(whole, lambda key: key.kvno == 2))
    gw.wait_until(lambda: not logs_in(gateway, old_ticket, service), 10, "the old key is gone")
    assert logs_in(gateway, new_ticket, service)


def test_a_keytab_opened_to_others_while_running(start, realm):
    """Its mode is looked at whenever it changed; the keys in force stay."""
    gateway = start(realm=realm)
    ticket = realm.service_ticket("rcmd/localhost")
    gateway.keytab.chmod(0o644)
    record = gateway.wait_event("gateway.reload-failed")
    assert str(gateway.keytab) in record["detail"] and "0644" in record["detail"], record
    assert logs_in(gateway, ticket, "rcmd/localhost")
    gateway.keytab.chmod(0o600)
    gateway.wait_event("gateway.reload")


def test_rotation_leaves_sessions_alone(start, realm, service, echo):
    gateway = start(realm=realm, keytab=realm.keytab(service))
    with GssClient(gateway, realm.ticket(), service=gss_name(service)) as client:
        client.connect(echo.address).echo()
        realm.rekey(service)
        gateway.write_keytab(only(realm.keytab(service), lambda key: key.kvno == 2))
        gateway.wait_event("gateway.reload")
        client.echo()


def test_a_new_keytab_on_sighup(start, realm, service):
    gateway = start(realm=realm, keytab=realm.usual_keytab)
    ticket = realm.service_ticket(service)
    assert not logs_in(gateway, ticket, service)
    gateway.write_keytab(realm.keytab(service))
    gateway.signal(signal.SIGHUP)
    gw.wait_until(lambda: logs_in(gateway, ticket, service), 3)


def test_all_processes_of_the_pool_change(start, realm, service):
    gateway = start(realm=realm, keytab=realm.usual_keytab, gssapi="processes = 4")
    ticket = realm.service_ticket(service)
    gateway.write_keytab(realm.keytab(service))
    gateway.signal(signal.SIGHUP)
    gw.wait_until(lambda: logs_in(gateway, ticket, service), 3)
    gw.wait_until(lambda: all(logs_in(gateway, ticket, service) for _ in range(20)), 3)


BROKEN = {
    "empty": b"",
    "no keytab": b"just text\n",
    "no key": b"\x05\x02",
    "cut": b"\x05\x02\x00\x00\x00\x40\x00\x01",
    "weak": keytab_bytes([Key("rcmd/localhost@SALLYPORT.TEST", 1, 23, b"k" * 16)]),
    "of another service": keytab_bytes([Key("imap/localhost@SALLYPORT.TEST", 1, 18)]),
}


@pytest.mark.sanitizers
@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_new_keytab_leaves_the_old_one(start, realm, what):
    gateway = start(realm=realm)
    ticket = realm.service_ticket("rcmd/localhost")
    assert logs_in(gateway, ticket, "rcmd/localhost")
    gateway.write_keytab(BROKEN[what])
    gateway.signal(signal.SIGHUP)
    record = gateway.wait_event("gateway.reload-failed")
    assert str(gateway.keytab) in record.get("detail", "") + record.get("reason", ""), record
    assert logs_in(gateway, ticket, "rcmd/localhost")
    gateway.write_keytab(realm.usual_keytab)
    gateway.signal(signal.SIGHUP)
    gateway.wait_event("gateway.reload")
    assert logs_in(gateway, ticket, "rcmd/localhost")


@pytest.mark.parametrize("what", ("no key", "weak", "of another service"))
def test_a_broken_new_keytab_without_a_reload(start, realm, what):
    """The same when nobody asks for it: a look of every few seconds finds it, and says so once."""
    gateway = start(realm=realm)
    ticket = realm.service_ticket("rcmd/localhost")
    gateway.write_keytab(BROKEN[what])
    record = gateway.wait_event("gateway.reload-failed")
    assert record["reason"] == "file-refused" and str(gateway.keytab) in record["detail"], record
    assert all(logs_in(gateway, ticket, "rcmd/localhost") for _ in range(4))
    gateway.write_keytab(realm.usual_keytab)
    gateway.wait_event("gateway.reload")
    assert len([r for r in gateway.events() if r["event"] == "gateway.reload-failed"]) == 1
    assert logs_in(gateway, ticket, "rcmd/localhost")


@pytest.mark.parametrize("asked", (True, False), ids=("reload", "by itself"))
def test_a_new_keytab_without_a_listeners_own_service(start, realm, asked):
    """It would do for the section; the listener that wants another service keeps the old one."""
    both = realm.keytab("rcmd/localhost", "imap/localhost")
    gateway = start(realm=realm, keytab=both, listen=["127.0.0.1:0", ("127.0.0.2:0", 'service = { "imap" }')])
    ticket = realm.service_ticket("imap/localhost")
    assert logs_in(gateway.addresses[1], ticket, "imap/localhost")
    gateway.write_keytab(realm.keytab("rcmd/localhost"))
    if asked:
        gateway.signal(signal.SIGHUP)
    record = gateway.wait_event("gateway.reload-failed")
    assert "imap" in record["detail"] and str(gateway.keytab) in record["detail"], record
    assert logs_in(gateway.addresses[1], ticket, "imap/localhost")
    gateway.write_keytab(both + b"\xff\xff\xff\xfc" + bytes(4))
    gateway.signal(signal.SIGHUP)
    gateway.wait_event("gateway.reload")


def test_a_keytab_that_vanishes_leaves_the_old_one(start, realm):
    gateway = start(realm=realm)
    ticket = realm.service_ticket("rcmd/localhost")
    gateway.keytab.unlink()
    gateway.signal(signal.SIGHUP)
    gateway.wait_event("gateway.reload-failed")
    assert logs_in(gateway, ticket, "rcmd/localhost")


# --- keytabs that are refused at the start ---


def refused_at_start(gateway, *words):
    """-t and a start fail alike; what they say names the file and has these words."""
    for done in (gateway.run("-t", "-c", "FILE"), gateway.run("-c", "FILE")):
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        assert str(gateway.keytab) in said, said
        for word in words:
            assert word in said, f"{word!r} is not in {said!r}"


def test_a_good_keytab_passes(start, realm):
    gateway = start(realm=realm, start=False)
    done = gateway.run("-t", "-c", "FILE")
    assert done.returncode == 0, done.stderr


def test_no_keytab(start, realm):
    refused_at_start(start(realm=realm, keytab=None, start=False), "No such file")


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_keytab(start, realm, what):
    words = {"no keytab": ["05 02"], "weak": ["aes256-cts-hmac-sha1-96"],
             "of another service": ["rcmd", "socks", "imap"], "no key": ["ktadd"]}.get(what, [])
    refused_at_start(start(realm=realm, keytab=BROKEN[what], start=False), *words)


def test_any_service_when_the_list_is_empty(start, realm, echo):
    keytab = realm.keytab("imap/localhost")
    gateway = start(realm=realm, keytab=keytab, gssapi="service = {}")
    assert logs_in(gateway, realm.ticket(), "imap/localhost")


@pytest.mark.parametrize("mode", (0o644, 0o660, 0o604, 0o700))
def test_a_keytab_that_others_may_read(start, realm, mode):
    gateway = start(realm=realm, start=False)
    gateway.write_keytab(realm.usual_keytab, mode)
    refused_at_start(gateway, f"{mode:04o}")


def test_a_link_instead_of_a_keytab(start, realm):
    gateway = start(realm=realm, start=False)
    gateway.keytab.rename(gateway.folder / "elsewhere")
    os.symlink(gateway.folder / "elsewhere", gateway.keytab)
    refused_at_start(gateway, "symbolic link")


@pytest.mark.skipif(not gw.ROOT, reason="needs root: files of other users")
def test_a_keytab_of_somebody_else(start, realm):
    gateway = start(realm=realm, as_root=True, extra=USERS, start=False)
    os.chown(gateway.keytab, 12345, 12345)
    refused_at_start(gateway, "12345")


@pytest.mark.skipif(not gw.ROOT, reason="needs root: the gateway's three users")
def test_a_keytab_that_the_workers_may_read(start, realm):
    """As root, with users of the system: the group of the file is that of the workers' user."""
    gateway = start(realm=realm, as_root=True, extra=USERS, start=False)
    assert gateway.run("-t", "-c", "FILE").returncode == 0
    group = pwd.getpwnam("games").pw_gid
    assert grp.getgrgid(group).gr_name == "games"
    os.chown(gateway.keytab, 0, group)
    gateway.keytab.chmod(0o640)
    refused_at_start(gateway, "games")


# --- tickets and keys that do not meet ---


def test_a_ticket_for_another_service(start, realm):
    gateway = start(realm=realm)
    assert refusal(gateway, realm.ticket(), "imap/localhost") == "key-not-found"


def test_a_service_in_the_keytab_that_is_not_listed(start, realm):
    gateway = start(realm=realm, keytab=realm.keytab("rcmd/localhost", "imap/localhost"))
    assert refusal(gateway, realm.ticket(), "imap/localhost") == "wrong-service"
    assert logs_in(gateway, realm.ticket(), "rcmd/localhost")


def test_a_stale_key_version(start, realm, service):
    """Another mistake than a principal without any key, and another word."""
    ticket = realm.service_ticket(service)
    realm.rekey(service)
    keytab = only(realm.keytab(service), lambda key: key.kvno == 2)
    gateway = start(realm=realm, keytab=keytab)
    assert refusal(gateway, ticket, service) == "key-version-not-found"
    assert refusal(gateway, realm.ticket(), "imap/localhost") == "key-not-found"


def test_the_same_version_with_another_key(start, realm, service):
    """As after a service was made anew."""
    other = [key._replace(key=bytes(len(key.key))) for key in keys_of(realm.keytab(service))]
    gateway = start(realm=realm, keytab=keytab_bytes(other))
    assert refusal(gateway, realm.service_ticket(service), service) == "bad-token"


def test_keys_of_one_enctype(start, realm, echo):
    """A keytab with one enctype of ours among strange ones serves."""
    for enctype in NUMBERS:
        name = realm.service(f"rcmd/one{next(_numbers)}.example", [enctype, "camellia256-cts-cmac"])
        gateway = start(realm=realm, keytab=realm.keytab(name))
        with GssClient(gateway, realm.ticket(), service=gss_name(name)) as client:
            client.connect(echo.address).echo()
        gateway.stop()


def test_an_enctype_that_is_not_ours(start, realm):
    """Camellia in the service's keys, and first in the client's list and the gateway's: nobody agrees to
    it, and the next one in the list is taken."""
    name = realm.service(f"rcmd/camellia{next(_numbers)}.example",
                         ["camellia256-cts-cmac", "aes256-cts-hmac-sha1-96"])
    config = realm.configured(
        permitted_enctypes="camellia256-cts-cmac aes256-cts-hmac-sha1-96")
    gateway = start(realm=realm, keytab=realm.keytab(name), krb5_config=config, events="all")
    ticket = realm.kinit("alice", config=config)
    with GssClient(gateway, ticket, service=gss_name(name)) as client:
        client.log_in()
    assert gateway.closing(client)["enctype"] == "aes256-cts-hmac-sha1-96"

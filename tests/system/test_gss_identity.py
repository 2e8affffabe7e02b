# SPDX-License-Identifier: ISC
"""Who a Kerberos session is for: rules, the audit, names that map to local accounts."""
import grp
import pwd

import pytest

import gateway as gw
import socks
from gssapi_client import GSSAPI, CONFIDENTIALITY, GssClient
from realm import ENCTYPES, Realm

ANYWHERE = dict(destination=gw.LOOPBACK)


def test_what_the_audit_says(start, realm, echo):
    gateway = start(realm=realm, events="all", rules=gw.REALM_USERS)
    with GssClient(gateway, realm.ticket("bob")) as client:
        client.connect(echo.address).echo()
    closing = gateway.closing(client)
    by_event = {record["event"]: record for record in gateway.of(client)}
    assert set(by_event) == {"auth.success", "session.start", "session.end"}
    for record in by_event.values():
        assert record["user"] == "bob@SALLYPORT.TEST" and record["method"] == "gssapi"
        assert "claimed" not in record
    success = by_event["auth.success"]
    assert success["mechanism"] == "krb5" and success["enctype"] == "aes256-cts-hmac-sha1-96"
    for record in (by_event["session.start"], closing):
        assert record["protection"] == "confidentiality"
        assert (record["mechanism"], record["enctype"]) == (success["mechanism"], success["enctype"])


@pytest.mark.parametrize("enctype", ENCTYPES)
def test_the_enctype_is_the_clients(gateway, realm, echo, enctype):
    with GssClient(gateway, realm.ticket("alice", enctype)) as client:
        client.connect(echo.address).echo()
    assert gateway.wait_event("auth.success", client=client.name)["enctype"] == enctype


def test_a_local_account(start, realm, echo):
    """auth_to_local of the gateway's krb5.conf decides; the realm's own user maps by itself."""
    gateway = start(realm=realm, events="all")
    with GssClient(gateway, realm.ticket("alice")) as client:
        client.connect(echo.address)
    gateway.closing(client)
    record = gateway.wait_event("auth.success", client=client.name)
    assert record["user"] == "alice@SALLYPORT.TEST" and record.get("account") == "alice"


def test_no_local_account(start, realm, echo):
    """A principal that no account maps to is a login all the same."""
    realm.run("principal", "host/nowhere.example", "host/nowhere.example")
    gateway = start(realm=realm, events="all")
    with GssClient(gateway, realm.ticket("host/nowhere.example")) as client:
        client.connect(echo.address).echo()
    record = gateway.wait_event("auth.success", client=client.name)
    assert record["user"] == "host/nowhere.example@SALLYPORT.TEST" and "account" not in record


def test_the_groups_of_the_account(start, realm, echo):
    """auth_to_local gives alice and bob accounts that every Debian has; rules see the groups of these."""
    rules = realm.new_path("auth_to_local")
    rules.write_text("[realms]\n    SALLYPORT.TEST = {\n"
                     "        auth_to_local = RULE:[1:$1](^alice$)s/.*/root/\n"
                     "        auth_to_local = RULE:[1:$1](^bob$)s/.*/nobody/\n    }\n")
    root, nobody = (grp.getgrgid(pwd.getpwnam(name).pw_gid).gr_name for name in ("root", "nobody"))
    gateway = start(realm=realm, krb5_config=f"{rules}:{realm.config}", events="all", rules=[
        gw.rule("not they", "deny", group=[nobody]), gw.rule("they", group=[root], **ANYWHERE)])
    realm.run("principal", "carol", "carol")
    for name, account, code, rule in (("alice", "root", 0, "they"), ("bob", "nobody", 2, "not they"),
                                      ("carol", None, 2, None)):
        with GssClient(gateway, realm.ticket(name)) as client:
            client.log_in().propose(CONFIDENTIALITY)
            assert client.ask(*echo.address).code == code, name
        assert gateway.closing(client).get("rule") == rule
        assert gateway.wait_event("auth.success", client=client.name).get("account") == account


def test_rules_see_the_whole_principal(start, realm, echo):
    gateway = start(realm=realm, rules=[
        gw.rule("no bob", "deny", user=["bob@SALLYPORT.TEST"]),
        gw.rule("short names match nobody", user=["alice", "bob"], **ANYWHERE),
        gw.rule("another realm", user=["*@OTHER.TEST"], **ANYWHERE),
        gw.rule("the realm", user=["*@SALLYPORT.TEST"], **ANYWHERE)])
    with GssClient(gateway, realm.ticket("alice")) as client:
        client.connect(echo.address).echo()
    record = gateway.closing(client)
    assert (record["event"], record["rule"]) == ("session.end", "the realm")
    with GssClient(gateway, realm.ticket("bob")) as client:
        client.log_in().propose(CONFIDENTIALITY)
        assert client.ask(*echo.address).code == 2
        assert client.get_rest() == b""
    record = gateway.closing(client)
    assert (record["event"], record["rule"]) == ("request.denied", "no bob")
    assert (record["user"], record["reply"]) == ("bob@SALLYPORT.TEST", "2")


def test_rules_by_method(start, realm, echo):
    gateway = start(realm=realm, methods=("gssapi", "userpass"), rules=[
        gw.rule("Kerberos", method=["gssapi"], **ANYWHERE),
        gw.rule("passwords", "deny", method=["userpass"])])
    with GssClient(gateway, realm.ticket("alice")) as client:
        client.connect(echo.address).echo()
    assert gateway.closing(client)["rule"] == "Kerberos"


def test_a_name_with_a_space(start, realm, echo):
    """A space of a principal arrives in the audit as it is."""
    realm.run("principal", "odd name", "odd name")
    gateway = start(realm=realm)
    with GssClient(gateway, realm.ticket("odd name")) as client:
        client.connect(echo.address).echo()
    assert gateway.closing(client)["user"].replace("\\", "") == "odd name@SALLYPORT.TEST"


def test_a_user_of_another_realm(start, realm, base, echo):
    """Realms that trust each other: the name says which, no account maps, and rules tell them apart."""
    with Realm(base / "other-realm", "OTHER.TEST") as other:
        other.run("principal", "krbtgt/SALLYPORT.TEST", "trust")
        realm.run("principal", "krbtgt/SALLYPORT.TEST@OTHER.TEST", "trust")
        both = f"{realm.config}:{other.config}"
        gateway = start(realm=realm, events="all", rules=[
            gw.rule("strangers", "deny", user=["bob@OTHER.TEST"]),
            gw.rule("all", user=["*@SALLYPORT.TEST", "*@OTHER.TEST"], **ANYWHERE)])
        for name, code in (("alice@OTHER.TEST", 0), ("bob@OTHER.TEST", 2), ("bob", 0)):
            with GssClient(gateway, realm.kinit(name, config=both)) as client:
                client.log_in().propose(CONFIDENTIALITY)
                assert client.ask(*echo.address).code == code
            record = gateway.closing(client)
            assert record["user"] == (name if "@" in name else name + "@SALLYPORT.TEST")
            success = gateway.wait_event("auth.success", client=client.name)
            assert ("account" in success) == ("@" not in name)


def test_a_refused_login_names_nobody(gateway):
    with GssClient(gateway) as client:
        client.offer().send(b"\x01\x01\x00\x04abcd")
        client.refused()
    record = gateway.closing(client)
    assert record["event"] == "auth.failure" and record["method"] == "gssapi"
    assert "user" not in record and "claimed" not in record


def test_sessions_of_two_users_at_once(gateway, realm, echo):
    with GssClient(gateway, realm.ticket("alice")) as a, GssClient(gateway, realm.ticket("bob")) as b:
        a.offer(), b.offer(GSSAPI)
        a.rounds(), b.rounds()
        for client in (b, a):
            assert client.propose(CONFIDENTIALITY) == CONFIDENTIALITY
        for client in (a, b):
            client.put(socks.request(*echo.address))
        for client in (b, a):
            assert client.reply().code == 0
            client.echo()
    assert gateway.closing(a)["user"] == "alice@SALLYPORT.TEST"
    assert gateway.closing(b)["user"] == "bob@SALLYPORT.TEST"

# SPDX-License-Identifier: ISC
"""Destinations in list files ("@FILE"), and rules that hold at certain hours.

Where a rule must allow and nothing answers behind it, the proof is request.failed with rule= that
title: TEST-NET addresses lead nowhere."""
import datetime
import os
import threading

import pytest

from gateway import rule
from test_rules import ruled, verdicts  # noqa: F401 (ruled is a fixture)
from waiting import wait_until


@pytest.fixture
def lists(base, tmp_path_factory):
    """Writes list files where every gateway can read them; the value is the path."""
    folder = base / tmp_path_factory.mktemp("lists").name
    folder.mkdir()
    folder.chmod(0o755)

    def write(name, *lines):
        new = folder / (name + ".new")
        new.write_text("".join(line + "\n" for line in lines))
        new.chmod(0o644)
        new.rename(folder / name)
        return folder / name
    write.folder = folder
    return write


def said(gateway):
    """What the gateway complained of."""
    return gateway.stderr() + "".join(str(r) for r in gateway.events())


def test_names_and_addresses(ruled, lists, dns, echo):  # noqa: F811
    partners = lists("partners", "# a comment", "Exact.Test", "*.below.test", "192.0.2.0/25", "2001:db8:5::/48")
    closed = lists("closed", "192.0.2.64", "bad.below.test")
    inside = lists("inside", "127.0.0.0/8")
    gateway = ruled(rule("closed", action="deny", destination=[f"@{closed}"]),
                    rule("partners", destination=["*.other.test", f"@{partners}"]),
                    rule("inside", destination=[f"@{inside}"]))
    for name in ("exact.test", "a.b.below.test", "bad.below.test", "below.test", "x.other.test"):
        dns.set(name, a=["198.51.100.1"])
    dns.set("in.test", a=["192.0.2.1"])
    dns.set("shut.exact.test", a=["192.0.2.64"])
    assert verdicts(gateway, ("exact.test", 80), ("EXACT.test.", 80), ("a.b.below.test", 80),
                    ("bad.below.test", 80), ("below.test", 80), ("x.other.test", 80), ("in.test", 80),
                    ("shut.exact.test", 80), ("192.0.2.127", 80), ("192.0.2.128", 80), ("192.0.2.64", 80),
                    ("2001:db8:5:1::1", 80), ("2001:db8:6::1", 80), ("198.51.100.1", 80)) == [
        (True, "partners"), (True, "partners"), (True, "partners"),
        (False, "closed"), (False, "no-rule"), (True, "partners"), (True, "partners"),
        (False, "closed"), (True, "partners"), (False, "no-rule"), (False, "closed"),
        (True, "partners"), (False, "no-rule"), (False, "no-rule")]
    assert dns.count("bad.below.test") == 0, "refused whatever its address is"
    # A prefix of a list opens what it lies in, as one of the rule would.
    assert verdicts(gateway, ("127.0.0.1", echo.port)) == [(True, "inside")]
    # A changed list is in force after the next reload.
    lists("closed", "exact.test")
    assert gateway.reload()["event"] == "gateway.reload"
    assert verdicts(gateway, ("exact.test", 80), ("192.0.2.64", 80)) == [(False, "closed"), (True, "partners")]


def test_a_list_that_is_wrong_refuses_the_reload(ruled, lists):  # noqa: F811
    path = lists("list", "192.0.2.1")
    gateway = ruled(rule("list", destination=[f"@{path}"]))

    def refused(why):
        assert gateway.reload()["event"] == "gateway.reload-failed"
        assert why in said(gateway), said(gateway)
        assert verdicts(gateway, ("192.0.2.1", 80), ("192.0.2.2", 80)) == [(True, "list"), (False, "no-rule")]
    path.unlink()
    refused("No such file or directory")
    path.mkdir()
    refused("Is a directory")
    path.rmdir()
    os.mkfifo(path)
    refused("it is no regular file")
    path.unlink()
    path.symlink_to(lists("other", "192.0.2.2"))
    refused("it is a symbolic link")
    path.unlink()
    lists("list", "192.0.2.2", "192.0.2.2/24")
    refused(f"{path}:2: ")
    lists("list", "192.0.2.2")
    assert gateway.reload()["event"] == "gateway.reload"
    assert verdicts(gateway, ("192.0.2.1", 80), ("192.0.2.2", 80)) == [(False, "no-rule"), (True, "list")]


def test_a_list_that_changes_while_it_is_read(ruled, lists):  # noqa: F811
    path = lists("list", "192.0.2.1")
    gateway = ruled(rule("list", destination=[f"@{path}"]))
    path.write_text("# a long one\n" * 2_000_000 + "192.0.2.1\n")
    over = threading.Event()

    def write_on():
        with path.open("r+b", buffering=0) as file:
            while not over.is_set():
                os.pwrite(file.fileno(), b"# a", 0)
    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        # Whoever writes may have no turn while it is read.
        wait_until(lambda: gateway.reload()["event"] == "gateway.reload-failed")
    finally:
        over.set()
        writer.join()
    assert "it changed, or was taken away, while it was read" in said(gateway)
    assert verdicts(gateway, ("192.0.2.1", 80)) == [(True, "list")]


def test_a_relative_list_lies_beside_the_main_file(ruled, lists):  # noqa: F811
    gateway = ruled(rule("all", destination=["192.0.2.0/24"]))
    (gateway.folder / "near.list").write_text("192.0.2.7\n")
    (gateway.folder / "near.list").chmod(0o644)
    other = gateway.folder / "other.conf"
    other.write_text('methods = "none"\nlisten "127.0.0.1:0" { }\n' + rule("near", destination=["@near.list"]))
    other.chmod(0o644)
    done = gateway.run("-t", "-c", other)
    assert done.returncode == 0, done.stderr
    assert '"@near.list"' in gateway.run("-T", "-c", other).stdout
    explained = gateway.ctl("explain", "-c", other, "--client", "10.0.0.1", "--method", "none",
                            "--to", "192.0.2.7:80", uid=12345)
    assert 'allowed by rule "near"' in explained.stdout, explained


def test_hours(ruled):  # noqa: F811
    now = datetime.datetime.now()
    near = f"{now - datetime.timedelta(hours=2):%H:%M}-{now + datetime.timedelta(hours=2):%H:%M}"
    far = f"{now + datetime.timedelta(hours=2):%H:%M}-{now - datetime.timedelta(hours=2):%H:%M}"
    today, other = f"{now:%a}", f"{now + datetime.timedelta(days=3):%a}"
    gateway = ruled(rule("not now", action="deny", time=[far]),
                    rule("not today", action="deny", time=[f"{other} 00:00-24:00"]),
                    rule("now", destination=["192.0.2.1"], time=[far, near]),
                    rule("today", destination=["192.0.2.2"], time=[today, near]))
    assert verdicts(gateway, ("192.0.2.1", 80), ("192.0.2.2", 80)) == [(True, "now"), (True, "today")]

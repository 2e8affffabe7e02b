# SPDX-License-Identifier: ISC
"""Our own client without Kerberos: joining, both ends, OpenSSH, what it says when something is wrong."""
import fcntl
import hashlib
import os
import pty
import signal
import socket
import subprocess
import termios
import threading

import pytest

import client
import gateway as gw
import servers
from test_clients import account, needs, sshd  # noqa: F401 (a fixture)
from waiting import stays, wait_until

NONE = ("--auth", "none")
USERPASS = ("--auth", "userpass", "--user", "alice")
WONDERLAND = client.environment(SALLYPORT_PASSWORD="wonderland")


@pytest.fixture(scope="module")
def open_gateway(start_shared):
    return start_shared(methods=["none"])


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(methods=["userpass"])


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text("wonderland\nsomething else\n")
    path.chmod(0o600)
    return path


def serve_once(handler):
    """A server that plays a gateway."""
    return servers.Server(lambda connection, server: handler(connection))


# --- joining ---


@pytest.mark.sanitizers
def test_joins_what_it_reads_and_writes(open_gateway, echo):
    done = client.run(open_gateway, echo.address, *NONE, data=b"through our own client\n")
    client.says(done, client.OK, None)
    assert done.stdout == b"through our own client\n"


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "::1", "[::1]"])
def test_targets_by_name_and_by_address(open_gateway, echo, echo6, name):
    server = echo6 if ":" in name else echo
    done = client.run(open_gateway, (name, server.port), *NONE, data=b"hello")
    assert done.returncode == 0 and done.stdout == b"hello", done.stderr
    shown = {"LOCALHOST.": "localhost", "::1": "[::1]"}.get(name, name)
    open_gateway.wait_event("session.end", destination=f"{shown}:{server.port}")


def test_a_gateway_by_address(start, echo):
    gateway = start(listen=["[::1]:0"])
    done = client.run(f"[::1]:{gateway.port}", echo.address, *NONE, data=b"six")
    assert done.stdout == b"six", done.stderr


@pytest.mark.sanitizers
def test_user_and_password(gateway, echo, password_file):
    done = client.run(gateway, echo.address, *USERPASS, data=b"env", env=WONDERLAND)
    assert done.stdout == b"env", done.stderr
    done = client.run(gateway, echo.address, *USERPASS, "--password-file", str(password_file), data=b"file",
                      env=client.environment(SALLYPORT_PASSWORD="wrong"))
    assert done.stdout == b"file", done.stderr
    done = client.run(gateway, echo.address, "--auth", "userpass", data=b"name from the environment",
                      env={**WONDERLAND, "SALLYPORT_USER": "alice"})
    assert done.stdout == b"name from the environment", done.stderr


def test_a_password_typed_on_the_terminal(gateway, echo):
    """Without echo, and not from standard input, which is the session's."""
    leader, follower = pty.openpty()

    def own_terminal():
        os.setsid()
        fcntl.ioctl(follower, termios.TIOCSCTTY, 0)

    process = client.spawn(gateway, echo.address, *USERPASS, preexec_fn=own_terminal, pass_fds=(follower,))
    os.close(follower)
    shown = b""
    while b"gateway: " not in shown:
        shown += os.read(leader, 100)
    assert shown == b"Password of alice for the gateway: "
    os.write(leader, b"wonderland\n")
    out, err = process.communicate(b"typed", timeout=30)
    assert (process.returncode, out, err) == (0, b"typed", b"")
    assert b"wonder" not in os.read(leader, 100)
    os.close(leader)


@pytest.mark.parametrize("ignored", (False, True))
def test_interrupted_at_the_password(gateway, echo, ignored):
    """It ends as by that signal, or says so, and leaves the terminal with its echo. ignored: as
    started by nohup."""
    leader, follower = pty.openpty()

    def echoes():
        return bool(termios.tcgetattr(follower)[3] & termios.ECHO)

    def own_terminal():
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)
        fcntl.ioctl(follower, termios.TIOCSCTTY, 0)

    process = client.spawn(gateway, echo.address, *USERPASS, preexec_fn=own_terminal, pass_fds=(follower,))
    shown = b""
    while b"gateway: " not in shown:
        shown += os.read(leader, 100)
    wait_until(lambda: not echoes(), 10, "no echo while it is typed")
    # readpassphrase() does not notice a signal between its prompt and its read().
    wait_until(lambda: gw.stat_fields(process.pid)[1][0] == "S", 10, "it waits for what is typed")
    os.write(leader, b"wonder\x03")
    out, said = process.communicate(b"", timeout=30)
    assert (process.returncode, out) == (client.LOGIN if ignored else -signal.SIGINT, b"")
    assert (b"interrupted" in said) == ignored, said
    assert echoes(), "the terminal is as it was"
    os.close(follower), os.close(leader)


@pytest.mark.skipif(not gw.ROOT, reason="only root may look at it")
def test_the_password_is_not_left_in_the_environment(gateway):
    with servers.Server(servers.hold) as server:
        process = client.spawn(gateway, server.address, *USERPASS, env=WONDERLAND)
        server.wait_connection()
        shown = gw.read_proc(process.pid, "environ")
        process.kill()
        process.communicate()
    assert b"SALLYPORT_PASSWORD=\0" in shown and b"wonderland" not in shown


def test_a_hundred_megabytes_each_way(open_gateway):
    """At the same time."""
    total = 100_000_000

    def both(connection, server):
        sender = threading.Thread(target=lambda: [connection.sendall(p) for p in servers.chunks(total, 7)])
        sender.start()
        digest = hashlib.sha256()
        while data := connection.recv(1 << 18):
            digest.update(data)
        sender.join()
        server.note(digest.hexdigest())
        connection.shutdown(socket.SHUT_WR)

    with servers.Server(both) as server:
        check_bulk(client.spawn(open_gateway, server.address, *NONE), server, total)


def check_bulk(process, server, total):
    def feed():
        for piece in servers.chunks(total, 8):
            process.stdin.write(piece)
        process.stdin.close()
    feeder = threading.Thread(target=feed)
    feeder.start()
    digest = hashlib.sha256()
    while data := process.stdout.read(1 << 18):
        digest.update(data)
    feeder.join()
    assert process.wait(60) == 0, process.stderr.read()
    assert digest.hexdigest() == servers.digest_of(total, 7)
    assert server.wait_note() == servers.digest_of(total, 8)
    process.stdout.close(), process.stderr.close()


# --- ends ---


def test_end_of_input_first(open_gateway):
    with servers.Server(servers.sink) as server:
        done = client.run(open_gateway, server.address, *NONE, data=b"x" * 100_000)
        assert done.returncode == 0 and done.stdout.decode() == server.wait_note()[1]


def test_end_of_the_target_first(open_gateway):
    """The reader gets its end while what is typed still goes out."""
    def handler(connection, server):
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
        server.note(connection.recv(100))

    with servers.Server(handler) as server:
        process = client.spawn(open_gateway, server.address, *NONE)
        assert process.stdout.read() == b"bye"
        assert process.poll() is None
        process.stdin.write(b"late")
        process.stdin.flush()
        assert server.wait_note() == b"late"
        process.stdin.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
        process.stdout.close(), process.stderr.close()


def test_a_socket_as_input_and_output(open_gateway, echo):
    """As OpenSSH may start a ProxyCommand."""
    ours, its = socket.socketpair()
    process = client.spawn(open_gateway, echo.address, *NONE, stdin=its, stdout=its)
    its.close()
    ours.sendall(b"a socket")
    ours.shutdown(socket.SHUT_WR)
    ours.settimeout(20)
    got = b""
    while data := ours.recv(100):
        got += data
    assert got == b"a socket" and process.wait(20) == 0
    ours.close(), process.stderr.close()


def test_closed_standard_descriptors(open_gateway, echo):
    """A socket must not take their place."""
    words = client.command(open_gateway, echo.address, *NONE)
    done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&-', "sh", *words], env=client.environment(),
                          stderr=subprocess.PIPE, timeout=30)
    client.says(done, client.OK, None)
    open_gateway.wait_event("session.end", destination=f"127.0.0.1:{echo.port}", bytes_up="0", bytes_down="0")


def test_a_reader_that_stands_still_does_not_stop_what_is_sent(open_gateway):
    def handler(connection, server):
        sender = threading.Thread(target=lambda: [connection.sendall(p) for p in servers.chunks(4_000_000, 7)])
        sender.start()
        count = 0
        while data := connection.recv(1 << 16):
            count += len(data)
            if count == 1_000_000:
                server.note(count)
        sender.join()
        connection.shutdown(socket.SHUT_WR)

    with servers.Server(handler) as server:
        process = client.spawn(open_gateway, server.address, *NONE)
        process.stdin.write(b"x" * 1_000_000)
        process.stdin.flush()
        assert server.wait_note() == 1_000_000
        out, err = process.communicate(timeout=60)
        assert hashlib.sha256(out).hexdigest() == servers.digest_of(4_000_000, 7)
        assert (process.returncode, err) == (0, b"")


def test_a_reader_that_has_had_enough(open_gateway):
    with servers.Server(servers.source(50_000_000, 3)) as server:
        process = client.spawn(open_gateway, server.address, *NONE)
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
        process.stdin.close(), process.stderr.close()


def test_an_idle_session_costs_nothing(open_gateway):
    with servers.Server(servers.hold) as server:
        process = client.spawn(open_gateway, server.address, *NONE)
        server.wait_connection()
        before = sum(map(int, gw.stat_fields(process.pid)[1][11:13]))
        stays(lambda: process.poll() is None, 1)
        assert sum(map(int, gw.stat_fields(process.pid)[1][11:13])) <= before + 2
        process.kill()
        process.communicate()


def test_a_connection_that_breaks(open_gateway):
    with servers.Server(servers.hold) as server:
        process = client.spawn(open_gateway, server.address, *NONE)
        servers.reset(server.wait_connection())
        process.stdin.write(b"x") if process.poll() is None else None
        out, err = process.communicate(timeout=20)
    assert process.returncode == client.BROKEN
    assert err in (b"sallyport: the connection broke: Connection reset by peer\n",
                   b"sallyport: the connection broke: Broken pipe\n")


def test_what_was_said_before_a_reset_is_not_lost():
    """As a web server does that has heard enough of an upload."""
    def play(connection):
        connection.recv(3)
        connection.sendall(b"\x05\x00")
        connection.recv(100)
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        connection.recv(10)
        connection.sendall(b"too large")
        connection.shutdown(socket.SHUT_WR)
        servers.reset(connection)

    for _ in range(10):
        with serve_once(play) as server:
            done = client.run(f"127.0.0.1:{server.port}", ("t", 80), *NONE, data=b"x" * 30_000_000)
        assert done.returncode == client.BROKEN and done.stdout == b"too large", done
        assert done.stderr.startswith(b"sallyport: the connection broke: "), done.stderr


# --- OpenSSH ---


@needs("ssh", "sshd", "ssh-keygen")
@pytest.mark.parametrize("auth", ["none", "userpass"])
def test_openssh_through_our_client(gateway, open_gateway, sshd, password_file, auth):  # noqa: F811
    port, options = sshd
    proxy, words = (open_gateway, "--auth none") if auth == "none" else (
        gateway, f"--auth userpass --user alice --password-file {password_file}")
    data = b"".join(servers.chunks(3_000_000, 42))
    command = f"{client.PROGRAM} connect --via 127.0.0.1:{proxy.port} {words} %h %p"
    done = subprocess.run(["ssh", *options, "-o", f"ProxyCommand={command}", f"{account()}@127.0.0.1", "cat"],
                          input=data, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data
    proxy.wait_event("session.end", destination=f"127.0.0.1:{port}")


# --- what it says ---


@pytest.mark.parametrize("options,text", [
    ([], "--via HOST[:PORT] is missing: the gateway"),
    (["--via", "gw:0"], '--via "gw:0": HOST, HOST:PORT or [ADDRESS]:PORT is wanted'),
    (["--via", "gw", "--auth", "ntlm"], '--auth "ntlm": gssapi, userpass or none is wanted'),
    (["--via", "gw", "--protection", "some"],
     '--protection "some": none, integrity, confidentiality or selective is wanted'),
    (["--via", "gw", "--auth", "none", "--protection", "none"], "--protection goes with --auth gssapi alone"),
    (["--via", "gw", "--user", "alice"], "--user goes with --auth userpass alone"),
    (["--via", "gw", "--secret", "x"], "--secret is no option, or takes no value"),
    (["--via", "gw", "--password", "x"], "--password-file goes with --auth userpass alone"),
])
def test_wrong_usage(options, text):
    done = subprocess.run([client.PROGRAM, "connect", *options, "t", "1"], capture_output=True, timeout=20)
    assert done.returncode == client.USAGE
    assert done.stderr.decode() == f'sallyport: {text}\nsallyport: try "sallyport --help"\n'


def test_help_and_version():
    done = subprocess.run([client.PROGRAM, "--help"], capture_output=True, timeout=20)
    assert done.returncode == 0 and done.stdout.startswith(b"usage: sallyport connect --via") and not done.stderr
    done = subprocess.run([client.PROGRAM, "--version"], capture_output=True, timeout=20)
    assert done.returncode == 0 and done.stdout.startswith(b"sallyport ") and not done.stderr


def test_no_gateway_there():
    holder, port = servers.dead_port()
    with holder:
        done = client.run(f"127.0.0.1:{port}", ("t", 1), *NONE)
    client.says(done, client.UNREACHABLE,
                f"cannot reach the gateway 127.0.0.1 port {port}: Connection refused")


def test_no_such_gateway():
    done = client.run("no.such.host.invalid", ("t", 1), *NONE)
    assert done.returncode == client.UNREACHABLE
    assert done.stderr.startswith(b"sallyport: no address of the gateway no.such.host.invalid: ")


def test_a_gateway_that_does_not_answer():
    with servers.Server(servers.hold) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("t", 1), *NONE, "--timeout", "1")
    client.says(done, client.UNREACHABLE, "the gateway did not answer in time during the greeting")


def test_something_else_than_a_gateway():
    with serve_once(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n")) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("t", 1), *NONE)
    client.says(done, client.UNREACHABLE, f"127.0.0.1 port {server.port} is no SOCKS 5 gateway")


def test_a_method_that_is_not_accepted(gateway, open_gateway, echo):
    done = client.run(gateway, echo.address, *NONE)
    client.says(done, client.LOGIN, "the gateway does not accept the method none from here")
    done = client.run(open_gateway, echo.address, *USERPASS, env=WONDERLAND)
    client.says(done, client.LOGIN, "the gateway does not accept the method userpass from here")


def test_a_wrong_password(gateway, echo):
    done = client.run(gateway, echo.address, *USERPASS, env=client.environment(SALLYPORT_PASSWORD="wrong"))
    client.says(done, client.LOGIN, "the gateway refused the name or the password of alice")
    gateway.wait_event("auth.failure", claimed="alice")


def test_passwords_that_cannot_be_used(gateway, echo, password_file):
    path = str(password_file)
    with_file = lambda: client.run(gateway, echo.address, *USERPASS, "--password-file", path)  # noqa: E731
    password_file.chmod(0o640)
    client.says(with_file(), client.LOGIN, f"{path}: others may use it (mode 0640): chmod 600 it")
    password_file.chmod(0o600)
    password_file.write_text("\nsecond line\n")
    client.says(with_file(), client.LOGIN, f"{path}: the password is empty")
    password_file.write_text("x" * 256)
    client.says(with_file(), client.LOGIN, f"{path}: the password has more than 255 bytes")
    password_file.unlink()
    client.says(with_file(), client.LOGIN, f"{path}: No such file or directory")
    done = client.run(gateway, echo.address, *USERPASS, start_new_session=True)
    client.says(done, client.LOGIN,
                "no terminal to ask for the password: use --password-file or SALLYPORT_PASSWORD")


def test_refused_by_a_rule(open_gateway):
    done = client.run(open_gateway, ("192.0.2.1", 80), *NONE)
    client.says(done, client.REFUSED, "192.0.2.1:80: refused by a rule of the gateway")


def test_refused_by_the_destination(open_gateway):
    holder, port = servers.dead_port()
    with holder:
        done = client.run(open_gateway, ("127.0.0.1", port), *NONE)
    client.says(done, client.REFUSED, f"127.0.0.1:{port}: connection refused by the destination")


@pytest.mark.parametrize("reply,text", [
    (1, "the gateway reports a general failure"), (3, "the gateway has no way to its network"),
    (4, "it cannot be reached, or its name is not known"), (6, "it is too far away (time to live expired)"),
    (7, "the gateway does not make connections"), (8, "the gateway cannot reach addresses of this kind"),
    (99, "refused for a reason that is not known")])
def test_every_reply_has_its_words(reply, text):
    def play(connection):
        connection.recv(3)
        connection.sendall(b"\x05\x00")
        connection.recv(100)
        connection.sendall(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))

    with serve_once(play) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("2001:db8::1", 80), *NONE)
    client.says(done, client.REFUSED, f"[2001:db8::1]:80: {text}")


def test_a_reply_in_pieces_with_data_behind_it():
    def play(connection):
        connection.recv(3)
        for octet in b"\x05\x00":
            connection.sendall(bytes([octet]))
        connection.recv(100)
        for octet in b"\x05\x00\x00\x03\x02gw\x00\x50":
            connection.sendall(bytes([octet]))
        connection.sendall(b"first words")
        connection.shutdown(socket.SHUT_WR)
        connection.recv(100)

    with serve_once(play) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("t", 80), *NONE)
    client.says(done, client.OK, None)
    assert done.stdout == b"first words"


@pytest.mark.parametrize("steps,status,text", [
    ([], client.UNREACHABLE, "the gateway ended the connection during the greeting"),
    ([b"\x05\x01"], client.LOGIN, "the gateway wants the method 1, which was not offered"),
    ([b"\x05\x00"], client.BROKEN, "the gateway ended the connection during the request"),
    ([b"\x05\x00", b"\x04"], client.BROKEN, "the gateway's reply is malformed: version"),
    ([b"\x05\x00", b"\x05\x00\x00\x02"], client.BROKEN, "the gateway's reply is malformed: address type"),
])
def test_a_gateway_that_misbehaves(steps, status, text):
    def play(connection):
        connection.recv(100)
        for step in steps:
            connection.sendall(step)
            if step is not steps[-1]:
                connection.recv(100)
        if steps == [b"\x05\x00"]:
            connection.recv(100)
        connection.shutdown(socket.SHUT_WR)
        wait_until(lambda: not connection.recv(100), 10)

    with serve_once(play) as server:
        client.says(client.run(f"127.0.0.1:{server.port}", ("t", 80), *NONE), status, text)

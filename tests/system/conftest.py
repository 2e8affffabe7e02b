# SPDX-License-Identifier: ISC
"""What tests ask for: gateways, an echo server, a DNS server, the programs themselves."""
import os
import pathlib
import resource
import shutil
import tempfile

import pytest

import gateway as gw
import network
import servers
from realm import Realm, using


DESCRIPTORS = 8192  # of the tests' own: some hold a thousand clients and what those talk to
shared_network = None  # why tests of this run are in the host's network, if any are


def pytest_configure(config):
    """Who runs tests leaves the host's network: each of the processes side by side, or the only one."""
    global shared_network
    config.addinivalue_line("markers", "sanitizers: runs once more against a build with sanitizers")
    # What fails in a thread, a server's say, fails its test.
    config.addinivalue_line("filterwarnings", "error::pytest.PytestUnhandledThreadExceptionWarning")
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        shared_network = network.leave_the_host()
        _more_descriptors()


def _more_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["shared_network"] = shared_network


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    global shared_network
    shared_network = getattr(node, "workeroutput", {}).get("shared_network") or shared_network


def pytest_terminal_summary(terminalreporter):
    if shared_network:
        terminalreporter.line(f"the tests' ports were the host's, who uses them as well: {shared_network}")


@pytest.fixture(scope="session")
def base():
    """A folder that every user may enter (pytest's own is its owner's alone)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-test-"))
    folder.chmod(0o755)
    yield folder
    if os.environ.get("SALLYPORT_KEEP"):
        print(f"kept {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def programs(base):
    missing = [name for name in gw.PROGRAMS if not (gw.BUILD / name).exists()]
    assert not missing, f"not in {gw.BUILD}: {missing}; build first"
    return gw.Programs(base / "programs")


def _factory(programs, base):
    made = []

    def make(**keys):
        own = keys.pop("programs", programs)
        gateway = gw.Gateway(own, base, start=False, **keys)
        made.append(gateway)
        return gateway

    def start(**keys):
        begin = keys.pop("start", True)
        gateway = make(**keys)
        return gateway.start() if begin else gateway

    return start, made


def _end(made):
    problems = []
    for gateway in made:
        try:
            gateway.stop()
        except AssertionError as problem:
            gateway.end_now()
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def start(programs, base):
    """start(...) starts a gateway of the test's own; all are stopped and their logs checked at the
    end."""
    factory, made = _factory(programs, base)
    yield factory
    _end(made)


@pytest.fixture(scope="module")
def start_shared(programs, base):
    """The same for a whole module: gateways that tests only talk to."""
    factory, made = _factory(programs, base)
    yield factory
    _end(made)


@pytest.fixture(scope="session")
def echo():
    with servers.Server(servers.echo) as server:
        yield server


@pytest.fixture(scope="session")
def echo6():
    with servers.Server(servers.echo, "::1") as server:
        yield server


@pytest.fixture
def dns():
    from dns_server import DnsServer
    with DnsServer() as server:
        yield server


@pytest.fixture(scope="session")
def realm(base):
    """One realm and its KDC for all tests; what changes keys makes a principal of its own."""
    with Realm(base / "realm") as made, using(made.config):
        yield made


@pytest.fixture(scope="session")
def alice(realm):
    return realm.ticket("alice")


@pytest.fixture(scope="module")
def gateway(start_shared, realm):
    """A gateway that tests of a module only talk to: every level, users of the realm."""
    return start_shared(realm=realm, events="all", gssapi='protection = { "confidentiality", '
                        '"integrity", "selective", "none" }', rules=gw.REALM_USERS)

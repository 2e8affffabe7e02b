# SPDX-License-Identifier: ISC
"""A throwaway Kerberos realm with a real KDC (tests/realm.sh), tickets of any kind, and the two file
formats that tests change by hand: keytabs and credential caches."""
import collections
import contextlib
import itertools
import os
import pathlib
import struct
import subprocess

from waiting import wait_until

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "realm.sh"
REALM = "SALLYPORT.TEST"
ENCTYPES = ("aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96", "aes256-cts-hmac-sha384-192",
            "aes128-cts-hmac-sha256-128")
AES256_SHA1, AES128_SHA1, AES256_SHA2, AES128_SHA2 = ENCTYPES
NUMBERS = dict(zip(ENCTYPES, (18, 17, 20, 19)))
PASSWORDS = {"alice": "wonderland", "bob": "builder"}
SERVICES = ("rcmd/localhost", "socks/localhost", "imap/localhost")


class Ticket:
    """A credential cache and the krb5.conf with which its owner uses it."""

    def __init__(self, path, config):
        self.path, self.config = pathlib.Path(path), config

    def ends(self):
        """When its last ticket ends, in seconds of the wall clock."""
        return list(ends_of(self.path.read_bytes()))[-1][1]

    def changed(self, change):
        """A copy whose bytes went through change(bytes)."""
        path = self.path.with_name(f"{self.path.name}-{next(_copies)}")
        path.write_bytes(change(self.path.read_bytes()))
        return Ticket(path, self.config)


_copies = itertools.count(1)


class Realm:
    """with Realm(folder) as realm: the KDC runs. Everything is below the folder."""

    def __init__(self, folder, name=REALM):
        self.folder, self.name = pathlib.Path(folder), name
        self.config = str(self.folder / "krb5.conf")
        self.kdc = None
        self.numbers = itertools.count(1)
        self.tickets = {}

    def __enter__(self):
        self.run("create", self.name)
        self.folder.chmod(0o755)
        (self.folder / "work").mkdir()
        for name, password in PASSWORDS.items():
            self.run("principal", name, password)
        for name in SERVICES:
            self.run("principal", name)
        self.usual_keytab = self.keytab("rcmd/localhost", "socks/localhost")
        return self.start_kdc()

    def __exit__(self, *unused):
        self.stop_kdc()

    def run(self, verb, *words):
        done = subprocess.run([SCRIPT, verb, self.folder, *map(str, words)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 0, f"realm.sh {verb} {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def start_kdc(self):
        (self.folder / "kdc.log").unlink(missing_ok=True)
        with open(self.folder / "kdc.out", "ab") as out:
            self.kdc = subprocess.Popen([SCRIPT, "serve", self.folder], stdin=subprocess.DEVNULL,
                                        stdout=out, stderr=out)
        wait_until(self._serves, 10, f"the KDC listens, see {self.folder}/kdc.log")
        return self

    def _serves(self):
        assert self.kdc.poll() is None, (self.folder / "kdc.out").read_text()
        log = self.folder / "kdc.log"
        return log.exists() and "commencing operation" in log.read_text(errors="replace")

    def stop_kdc(self):
        if self.kdc and self.kdc.poll() is None:
            self.kdc.terminate()
            self.kdc.wait(10)

    @contextlib.contextmanager
    def kdc_down(self):
        self.stop_kdc()
        try:
            yield
        finally:
            self.start_kdc()

    def new_path(self, name):
        return self.folder / "work" / f"{name}-{next(self.numbers)}"

    def configured(self, base=None, **libdefaults):
        """KRB5_CONFIG with these settings before the realm's own."""
        path = self.new_path("krb5.conf")
        lines = "".join(f"    {key} = {one}\n" for key, value in libdefaults.items()
                        for one in ([value] if isinstance(value, str) else value))
        path.write_text(f"[libdefaults]\n{lines}")
        return f"{path}:{base or self.config}"

    # --- principals and keytabs ---

    def service(self, name, enctypes=None):
        """A principal of the test's own, so that its keys may change."""
        if enctypes is None:
            self.run("principal", name)
        else:
            words = ",".join(f"{e}:normal" for e in enctypes)
            self.run("kadmin", f'addprinc -randkey -e "{words}" "{name}"')
        return name

    def rekey(self, name):
        """A new key version; the database keeps the old one."""
        self.run("rekey", name)

    def keytab(self, *names):
        """The bytes of a keytab with all keys of these."""
        path = self.new_path("keytab")
        self.run("keytab", path, *names)
        return path.read_bytes()

    # --- tickets ---

    def kinit(self, name="alice", *options, config=None):
        path = self.new_path("ccache")
        environment = {**os.environ, "KRB5_CONFIG": config or self.config, "LC_ALL": "C"}
        done = subprocess.run(["kinit", "-c", f"FILE:{path}", *options, name],
                              input=PASSWORDS.get(name.split("@")[0], name) + "\n", env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        assert done.returncode == 0, f"kinit {options} {name}: {done.stdout}"
        return Ticket(path, config or self.config)

    def ticket(self, name="alice", enctype=None):
        """A ticket-granting ticket that tests share; enctype: all that this client speaks."""
        key = name, enctype
        if key not in self.tickets:
            config = self.configured(permitted_enctypes=enctype) if enctype else None
            self.tickets[key] = self.kinit(name, config=config)
        return self.tickets[key]

    def service_ticket(self, service, name="alice", *options, config=None):
        """A cache that holds a ticket for this service alone, straight from the KDC."""
        return self.kinit(name, "-S", service, *options, config=config)


@contextlib.contextmanager
def using(config):
    """libkrb5 reads KRB5_CONFIG each time a context is made. For one thread at a time."""
    before = os.environ.get("KRB5_CONFIG")
    os.environ["KRB5_CONFIG"] = config
    try:
        yield
    finally:
        if before is None:
            del os.environ["KRB5_CONFIG"]
        else:
            os.environ["KRB5_CONFIG"] = before


# --- keytabs, as bytes ---

Key = collections.namedtuple("Key", "principal kvno enctype key", defaults=(b"k" * 32,))


def keytab_bytes(keys):
    """A keytab of these keys; principals as "name/instance@REALM"."""
    out = b"\x05\x02"
    for principal, kvno, enctype, key in keys:
        name, realm = principal.rsplit("@", 1)
        parts = [part.encode() for part in name.split("/")]
        entry = struct.pack("!H", len(parts))
        for text in [realm.encode(), *parts]:
            entry += struct.pack("!H", len(text)) + text
        entry += struct.pack("!IIBHH", 1, 0, kvno & 0xFF, enctype, len(key)) + key
        entry += struct.pack("!I", kvno)
        out += struct.pack("!i", len(entry)) + entry
    return out


def keys_of(keytab):
    """The keys in a keytab's bytes."""
    assert keytab[:2] == b"\x05\x02"
    found, at = [], 2
    while at < len(keytab):
        size = struct.unpack_from("!i", keytab, at)[0]
        if size > 0:
            found.append(_key_of(keytab[at + 4:at + 4 + size]))
        at += 4 + abs(size)
    return found


def _key_of(entry):
    at, texts = 2, []
    for _ in range(struct.unpack_from("!H", entry)[0] + 1):
        size = struct.unpack_from("!H", entry, at)[0]
        texts.append(entry[at + 2:at + 2 + size].decode())
        at += 2 + size
    _, _, kvno, enctype, size = struct.unpack_from("!IIBHH", entry, at)
    at += 13
    if len(entry) >= at + size + 4:
        kvno = struct.unpack_from("!I", entry, at + size)[0] or kvno
    return Key("/".join(texts[1:]) + "@" + texts[0], kvno, enctype, entry[at:at + size])


# --- credential caches, as bytes ---


def clock_off(seconds):
    """change= for a cache whose owner believes that the KDC's clock is so much ahead of its own, and
    stamps what it sends with the KDC's time."""
    def change(data):
        assert data[:2] == b"\x05\x04"
        size = struct.unpack_from("!H", data, 2)[0]
        return b"\x05\x04" + struct.pack("!HHHii", 12, 1, 8, seconds, 0) + data[4 + size:]
    return change


class _Reader:
    def __init__(self, data, at):
        self.data, self.at = data, at

    def number(self, form):
        value = struct.unpack_from("!" + form, self.data, self.at)[0]
        self.at += struct.calcsize("!" + form)
        return value

    def counted(self):
        size = self.number("I")
        self.at += size
        return self.data[self.at - size:self.at]

    def principal(self):
        self.number("I")
        return [self.counted() for _ in range(self.number("I") + 1)]


def ends_of(data):
    """Of each ticket in a cache: where its end stands, and the end."""
    reader = _Reader(data, 4 + struct.unpack_from("!H", data, 2)[0])
    reader.principal()
    while reader.at < len(data):
        reader.principal(), reader.principal()
        reader.number("H"), reader.counted()
        yield reader.at + 8, struct.unpack_from("!I", data, reader.at + 8)[0]
        reader.at += 16 + 1 + 4
        for _ in range(2):  # addresses, authorization data
            for _ in range(reader.number("I")):
                reader.number("H"), reader.counted()
        reader.counted(), reader.counted()


def lives_longer(seconds):
    """change= for a cache whose tickets seem to end so much later: its owner sends a ticket that has
    expired."""
    def change(data):
        out = bytearray(data)
        for at, end in ends_of(data):
            if end:  # a cache's own entries have none
                struct.pack_into("!I", out, at, end + seconds)
        return bytes(out)
    return change

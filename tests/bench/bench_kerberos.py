#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Measures what Kerberos costs the gateway, in a realm of its own on loopback.

    make -C build bench-kerberos [BENCH_FLAGS="--runs 3"]

Prints the CPU time of a new session, with Kerberos and without authentication, by process, and the
megabytes a worker seals and opens in a CPU second. The gateway is pinned to the first core, load and
destination to the others; with --apart the worker alone is on the first one. Medians of --runs. What
libgssapi itself seals and opens on the same machine is printed by `make -C build bench-krb5msg`,
which this runs first.

Without authentication there are two rows: at the rate of the Kerberos sessions, and as fast as it
goes. A worker that is asked for all it can do takes several sessions at every waking; what Kerberos
adds is the difference between sessions that come equally often.
"""
import argparse
import os
import statistics
import subprocess
import tempfile
import time

import bench

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "realm.sh")
ROLES = ("sallyportd", "sallyport-worker", "sallyport-auth", "sallyport-logger")
TICKS = ("user", "kernel")
LEVELS = {1: "integrity", 2: "confidentiality"}


def realm_script(*words, **options):
    return subprocess.run([SCRIPT] + list(words), check=True, stdin=subprocess.DEVNULL, **options)


class Realm:
    """A KDC, a ticket for alice in a cache, a keytab for rcmd/localhost."""

    def __init__(self, folder, cores):
        self.folder = os.path.join(folder, "realm")
        self.keytab = os.path.join(folder, "keytab")
        self.cache = os.path.join(folder, "ccache")
        realm_script("create", self.folder, stdout=subprocess.DEVNULL)
        os.environ["KRB5_CONFIG"] = os.path.join(self.folder, "krb5.conf")
        os.environ["KRB5CCNAME"] = "FILE:" + self.cache
        self.kdc = subprocess.Popen(["taskset", "-c", cores, SCRIPT, "serve", self.folder],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.wait()
        realm_script("principal", self.folder, "alice", "bench")
        realm_script("principal", self.folder, "rcmd/localhost")
        realm_script("keytab", self.folder, self.keytab, "rcmd/localhost")
        realm_script("kinit", self.folder, self.cache, "alice", "bench")

    def wait(self):
        deadline = time.monotonic() + 10
        while subprocess.run([SCRIPT, "ready", self.folder], check=False).returncode != 0:
            if self.kdc.poll() is not None or time.monotonic() > deadline:
                bench.die("the KDC does not start")

    def stop(self):
        self.kdc.terminate()
        self.kdc.wait()


def workers_alone(proxy, rest):
    """Moves all other processes of the gateway to the rest of the cores."""
    cores = {int(core) for core in rest.split(",")}
    for pid in bench.descendants(proxy.process.pid):
        if os.path.basename(os.readlink(f"/proc/{pid}/exe")) != "sallyport-worker":
            os.sched_setaffinity(pid, cores)


def gateway(build, folder, core, realm, methods):
    port = bench.free_port()
    path = os.path.join(folder, "kerberos.conf")
    users = bench.USERS if os.geteuid() == 0 else {}
    ids = "".join(f'{key} = "{user}"\n' for key, user in users.items())
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'''{ids}workers = 1
listen "127.0.0.1:{port}" {{ methods = {{ "{methods}" }} }}
gssapi {{
    keytab = "{realm.keytab}"
    replay-cache = "{folder}/rcache"
    protection = {{ "confidentiality", "integrity" }}
    processes = 2
}}
limits {{ pending-per-client = 1000000 }}
log {{ target = "file:{folder}/audit.log" }}
rule "bench" {{ action = "allow" destination = {{ "127.0.0.0/8" }} }}
''')
    return bench.Proxy("sallyport", [os.path.join(build, "sallyportd"), "-c", path], port, folder,
                       core)


def cpu_by_role(proxy):
    """CPU nanoseconds of the gateway's processes, by program, and clock ticks of the worker's in user
    space and in the kernel."""
    total = dict.fromkeys(ROLES + TICKS, 0)
    for pid in bench.descendants(proxy.process.pid):
        name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            if name in total:
                total[name] += int(file.read().split()[0])
        if name == "sallyport-worker":
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            for key, value in zip(TICKS, fields[11:13]):
                total[key] += int(value)
    return total


class Kerberos(bench.Bench):
    """Bench with a second load program, which logs in."""

    def __init__(self, args):
        super().__init__(args)
        self.gss = os.path.join(args.build, "tests/bench/bench_gss")

    def roles(self, proxy, words):
        before = cpu_by_role(proxy)
        argv = ["taskset", "-c", self.rest, self.gss] + [str(word) for word in words]
        since = time.monotonic()
        if subprocess.run(argv, stdout=subprocess.DEVNULL, timeout=600).returncode != 0:
            raise bench.LoadFailed(" ".join(argv[3:]) + " failed")
        seconds = time.monotonic() - since
        self.settle(proxy)
        after = cpu_by_role(proxy)
        used = {key: after[key] - before[key] for key in ROLES + TICKS}
        used["seconds"] = seconds
        return used

    def sessions(self, proxy, level, rate=None):
        """Microseconds of CPU a session, by role, and sessions a second; level 0: without authentication."""
        count = self.args.sessions
        words = ("sessions", proxy.port, self.target_port, count, 8, level)
        used = self.roles(proxy, words + ((rate,) if rate else ()))
        us = {role: used[role] / count / 1000 for role in ROLES}
        ticks = sum(used[key] for key in TICKS)
        us["user"] = us["sallyport-worker"] * used["user"] / ticks if ticks > 0 else 0
        us["rate"] = count / used["seconds"]
        return us

    def bulk(self, proxy, verb, level):
        """Megabytes the worker moves in a second of its CPU time."""
        used = self.roles(proxy, (verb, proxy.port, self.target_port, self.args.bytes, 4, level))
        return self.args.bytes / 1e6 / (used["sallyport-worker"] / 1e9)


def run(bench_run, make, measure, runs):
    values = []
    for _ in range(runs):
        proxy = make()
        try:
            measure(bench_run, proxy, warm=True)
            values.append(measure(bench_run, proxy, warm=False))
        except bench.LoadFailed as failure:
            print(f"# {failure}: this run is left out")
        finally:
            proxy.stop()
    return values


def session_row(args, bench_run, make, title, level, rate=None):
    """Prints it; the median of each column."""
    def one(b, proxy, warm):
        if warm:
            return b.roles(proxy, ("sessions", proxy.port, b.target_port, 400, 8, level))
        return b.sessions(proxy, level, rate)

    methods = "none" if level == 0 else "gssapi"
    values = run(bench_run, lambda: make(methods), one, args.runs)
    median = {key: statistics.median(v[key] for v in values) for key in values[0]}
    roles = [median[role] for role in ROLES]
    print(f"| {title} | " + " | ".join(f"{us:.1f}" for us in roles)
          + f" | {sum(roles):.1f} | {1e6 / sum(roles):.0f} | {median['user']:.0f}"
          + f" | {median['rate']:.0f} |", flush=True)
    return median


def session_rows(args, bench_run, make):
    print("| CPU of a new session, us | " + " | ".join(ROLES)
          + " | all | sessions/CPU s | worker, user space | sessions/s |")
    print("|---|" + "---|" * (len(ROLES) + 4))
    rows = {title: session_row(args, bench_run, make, "Kerberos, " + title, level)
            for level, title in LEVELS.items()}
    rate = int(min(row["rate"] for row in rows.values()))
    plain = session_row(args, bench_run, make, "no authentication, as often", 0, rate)
    session_row(args, bench_run, make, "no authentication, all it can do", 0)
    print("\nKerberos costs the worker " + ", ".join(
        f"{row['sallyport-worker'] - plain['sallyport-worker']:.0f} us ({title})"
        for title, row in rows.items()) + " beyond a session without authentication that comes as often")


def bulk_rows(args, bench_run, make):
    def measure(verb, level):
        return lambda b, proxy, warm: None if warm else b.bulk(proxy, verb, level)

    print("\n| worker, MB per CPU second | seals (down) | opens (up) |\n|---|---|---|")
    for level, title in LEVELS.items():
        cells = []
        for verb in ("down", "up"):
            values = run(bench_run, lambda: make("gssapi"), measure(verb, level), args.runs)
            cells.append(f"{statistics.median(values):.0f}")
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=8000)
    parser.add_argument("--bytes", type=int, default=2 * bench.GIGABYTE)
    parser.add_argument("--apart", action="store_true",
                        help="the worker alone on the first core")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    bench.own_namespace()
    bench.tune_namespace()
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as folder:
        os.chmod(folder, 0o755)
        bench_run = Kerberos(args)
        realm = Realm(folder, bench_run.rest)

        def make(methods):
            proxy = gateway(args.build, folder, bench_run.core, realm, methods)
            if args.apart:
                workers_alone(proxy, bench_run.rest)
            return proxy
        try:
            session_rows(args, bench_run, make)
            bulk_rows(args, bench_run, make)
        finally:
            realm.stop()
            bench_run.stop()


if __name__ == "__main__":
    main()

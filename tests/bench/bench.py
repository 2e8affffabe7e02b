#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Measures the gateway beside microsocks and dante-server in the same run.

    make -C build bench                    (or: tests/bench/bench.py --build build)

Prints, for each proxy, CPU microseconds per session, CPU seconds per gigabyte with 4 and with 500
streams, kilobytes of memory per idle session, and CPU microseconds per relayed datagram (one there
and back counts twice). CPU time is that of all the proxy's processes, from
/proc/PID/schedstat; the proxy is pinned to the first core, load and destination to the others.
Figures are medians of --runs; compare the columns with each other, not with another machine.
As root everything runs in a network namespace of its own with cubic congestion control.
"""
import argparse
import glob
import json
import os
import re
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

GIGABYTE = 10 ** 9


def die(text):
    sys.exit(f"bench.py: {text}")


def own_namespace():
    """Runs this script again in a new network namespace, where its settings harm nobody."""
    if os.geteuid() != 0 or os.environ.get("BENCH_NAMESPACE"):
        return
    os.environ["BENCH_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable] + sys.argv)


def tune_namespace():
    if not os.environ.get("BENCH_NAMESPACE"):
        return
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    settings = {
        "ipv4/tcp_tw_reuse": "1",
        "ipv4/ip_local_port_range": "12000 65535",
        "core/somaxconn": "65535",
    }
    for name, value in settings.items():
        try:
            with open("/proc/sys/net/" + name, "w", encoding="ascii") as file:
                file.write(value)
        except OSError as error:
            print(f"# {name} stays as it is: {error.strerror}")
    # A namespace may not be allowed to change its default; its routes may.
    for route in ("127.0.0.0/8", "127.0.0.1"):
        subprocess.run(["ip", "route", "change", "local", route, "dev", "lo", "table", "local",
                        "congctl", "cubic"], check=True)


def descendants(pid):
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        found.append(parent)
        for path in glob.glob(f"/proc/{parent}/task/*/children"):
            try:
                with open(path, encoding="ascii") as file:
                    todo += [int(child) for child in file.read().split()]
            except FileNotFoundError:
                pass
    return found


def cpu_ns(pid):
    """CPU time of the process, its descendants and all their threads."""
    total = 0
    for one in descendants(pid):
        for path in glob.glob(f"/proc/{one}/task/*/schedstat"):
            try:
                with open(path, encoding="ascii") as file:
                    total += int(file.read().split()[0])
            except FileNotFoundError:
                pass
    return total


def cpu_ns_ended(pid):
    """Threads and processes that came and went are in the times of the parent's children and of
    the process itself (clock ticks)."""
    tick = 10 ** 9 // os.sysconf("SC_CLK_TCK")
    total = 0
    for one in descendants(pid):
        with open(f"/proc/{one}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += sum(int(fields[i]) for i in (11, 12, 13, 14)) * tick
    return total


def memory_kb(pid):
    total = 0
    for one in descendants(pid):
        with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as file:
            total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))
    return total


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for_port(port, process):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            die(f"{process.args[0]} ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            process.poll()
    die(f"{process.args[0]} does not listen on {port}")


class LoadFailed(Exception):
    """The proxy did not serve the whole load; the figure is left out."""


class Proxy:
    def __init__(self, name, argv, port, folder, core, threads=False):
        self.name, self.port, self.threads = name, port, threads
        self.log = open(os.path.join(folder, name + ".log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core)] + argv, stdout=self.log, stderr=self.log,
            stdin=subprocess.DEVNULL)
        wait_for_port(port, self.process)

    def cpu(self):
        # A thread per connection is gone before it can be asked: the coarser clock sees it.
        return cpu_ns_ended(self.process.pid) if self.threads else cpu_ns(self.process.pid)

    def memory(self):
        return memory_kb(self.process.pid)

    def stop(self):
        family = descendants(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in family:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(10)
        self.log.close()


def sallyport(build, folder, core, log):
    port = free_port()
    path = os.path.join(folder, "sallyport.conf")
    ids = "".join(f'{key} = "{user}"\n' for key, user in USERS.items()) if os.geteuid() == 0 else ""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'''{ids}workers = 1
listen "127.0.0.1:{port}" {{ methods = {{ "none" }} }}
limits {{ pending-per-client = 1000000 }}
log {{ target = "file:{log}" }}
rule "bench" {{ action = "allow" destination = {{ "127.0.0.0/8" }} }}
''')
    return Proxy("sallyport", [os.path.join(build, "sallyportd"), "-c", path], port, folder, core)


USERS = {"user": "sallyport", "auth-user": "sallyport-auth", "log-user": "sallyport-log"}


def microsocks(folder, core):
    port = free_port()
    return Proxy("microsocks", ["microsocks", "-i", "127.0.0.1", "-p", str(port)], port, folder,
                 core, threads=True)


def dante(folder, core):
    port = free_port()
    path = os.path.join(folder, "danted.conf")
    user = "nobody" if os.geteuid() == 0 else os.environ.get("USER", "nobody")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'''errorlog: {folder}/danted.err
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: {user}
user.unprivileged: {user}
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
''')
    return Proxy("dante", ["danted", "-f", path, "-p", os.path.join(folder, "danted.pid")], port,
                 folder, core)


class Bench:
    def __init__(self, args):
        self.args = args
        self.load = os.path.join(args.build, "tests/bench/bench_load")
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            die("needs at least two cores: one for the proxy, the rest for the load")
        self.core, self.rest = cores[0], ",".join(str(core) for core in cores[1:])
        self.target = self.start(["serve"])
        self.target_port = self.target.stdout.readline().strip()
        self.udp_load = os.path.join(args.build, "tests/bench/bench_udp")
        self.udp_target = self.start(["serve"], program=self.udp_load)
        self.udp_port = self.udp_target.stdout.readline().strip()

    def start(self, argv, program=None, **options):
        return subprocess.Popen(["taskset", "-c", self.rest, program or self.load] + argv,
                                text=True, stdout=subprocess.PIPE, **options)

    def run(self, proxy, verb, *numbers):
        argv = [verb, str(proxy.port), self.target_port] + [str(n) for n in numbers]
        before = proxy.cpu()
        done = self.start(argv).wait(300)
        if done != 0:
            raise LoadFailed(f"{verb} through {proxy.name} failed")
        self.settle(proxy)
        return proxy.cpu() - before

    @staticmethod
    def settle(proxy):
        """Waits until the proxy's CPU time stands still: its ends and records belong to the load."""
        last, still, deadline = proxy.cpu(), 0, time.monotonic() + 5
        while still < 10 and time.monotonic() < deadline:
            select.select([], [], [], 0.02)
            current = proxy.cpu()
            still = still + 1 if current - last < 200_000 else 0
            last = current

    def sessions(self, proxy):
        count = self.args.sessions
        return self.run(proxy, "sessions", count, 32) / count / 1000

    def bulk(self, proxy, streams):
        return self.run(proxy, "bulk", streams, self.args.bytes) / 1e9 / (
            self.args.bytes / GIGABYTE)

    def udp(self, proxy, size):
        count = self.args.datagrams
        argv = ["echo", str(proxy.port), self.udp_port, str(count), str(size), "8", "8"]
        before = proxy.cpu()
        load = self.start(argv, program=self.udp_load, stderr=subprocess.PIPE)
        output, error = load.communicate(timeout=300)
        if load.returncode != 0:
            raise LoadFailed(f"UDP through {proxy.name}: {error.strip()}")
        self.settle(proxy)
        lost = json.loads(output)["lost"]
        if lost > count / 100:
            print(f"# {proxy.name} lost {lost} of {count} datagrams of {size} octets")
        return (proxy.cpu() - before) / (2 * count) / 1000

    def idle(self, proxy):
        """The first sessions pay for rings and tables that do not grow with the number: they go
        before the measurement, for every proxy alike."""
        count = self.args.idle
        self.run(proxy, "sessions", 5000, 32)
        base = proxy.memory()
        load = self.start(["idle", str(proxy.port), self.target_port, str(count)],
                          stdin=subprocess.PIPE)
        if not load.stdout.readline().startswith("ready"):
            raise LoadFailed(f"{proxy.name} does not hold {count} idle sessions")
        self.settle(proxy)
        used = proxy.memory() - base
        load.communicate("")
        return used / count

    def stop(self):
        for target in (self.target, self.udp_target):
            target.kill()
            target.wait()


MEASURES = (
    ("session_cpu_us", "CPU per session, us", lambda b, p: b.sessions(p)),
    ("bulk4_cpu_s_per_gb", "bulk, 4 streams, CPU s/GB", lambda b, p: b.bulk(p, 4)),
    ("bulk500_cpu_s_per_gb", "bulk, 500 streams, CPU s/GB", lambda b, p: b.bulk(p, 500)),
    ("udp64_cpu_us", "UDP, 64 octets, CPU per datagram, us", lambda b, p: b.udp(p, 64)),
    ("udp1200_cpu_us", "UDP, 1,200 octets, CPU per datagram, us", lambda b, p: b.udp(p, 1200)),
    ("idle_kb", "memory per idle session, KiB", lambda b, p: b.idle(p)),
)


def proxies(args, folder, core):
    yield "sallyport", lambda: sallyport(args.build, folder, core, os.path.join(folder, "audit.log"))
    for name, make in (("microsocks", microsocks), ("danted", dante)):
        if shutil.which(name) is None:
            print(f"# {name} is not installed: left out")
        else:
            yield name, lambda make=make: make(folder, core)


def measure(bench, make, wanted, runs):
    """Each measure's median over runs; the idle memory is taken first, from a fresh proxy."""
    figures = {}
    for key, _, measure_one in sorted(wanted, key=lambda m: m[0] != "idle_kb"):
        values = []
        for _ in range(runs):
            proxy = make()
            try:
                values.append(measure_one(bench, proxy))
            except LoadFailed as failure:
                print(f"# {failure}: this run is left out")
            finally:
                proxy.stop()
        figures[key] = statistics.median(values) if values else float("nan")
    return figures


def show(table, wanted):
    names = list(table)
    print("| measure | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for key, title, _ in wanted:
        cells = []
        for name in names:
            value, ours = table[name][key], table[names[0]][key]
            ratio = "" if name == names[0] else f" ({value / ours:.1f}x)"
            cells.append("-" if value != value else f"{value:.2f}{ratio}")  # nan: not served
        print(f"| {title} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=20000)
    parser.add_argument("--bytes", type=int, default=8 * GIGABYTE)
    parser.add_argument("--datagrams", type=int, default=200000)
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--only", help="one proxy")
    parser.add_argument("--measure", help="keys separated by commas: "
                        + ", ".join(key for key, _, _ in MEASURES))
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    own_namespace()
    tune_namespace()
    wanted = [m for m in MEASURES if not args.measure or m[0] in args.measure.split(",")]
    bench = Bench(args)
    table = {}
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as folder:
        os.chmod(folder, 0o755)
        try:
            for name, make in proxies(args, folder, bench.core):
                if args.only in (None, name):
                    table[name] = measure(bench, make, wanted, args.runs)
        finally:
            bench.stop()
    show(table, wanted)


if __name__ == "__main__":
    main()

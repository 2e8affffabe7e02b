# SPDX-License-Identifier: ISC
"""What lies in the memory of a process. For root."""
import gateway as gw


def contents(pid):
    """What the process may write in its memory; what cannot be read, such as a guard, is left out."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in gw.read_proc(pid, "maps").decode().splitlines():
            span, rights = line.split()[:2]
            if not rights.startswith("rw") or "[v" in line:
                continue
            low, high = (int(end, 16) for end in span.split("-"))
            try:
                mem.seek(low)
                found.append(mem.read(high - low))
            except (OSError, ValueError):
                continue
    return b"".join(found)


def holders(pids, text):
    """Those of the processes that hold the text somewhere, their environment included. (/proc/PID/environ
    shows nothing: the process title is written over it.)"""
    found = []
    for pid in pids:
        memory = contents(pid)
        assert len(memory) > 100_000, f"process {pid} could not be read"
        if text in memory:
            found.append(pid)
    return found

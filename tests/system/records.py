# SPDX-License-Identifier: ISC
"""Reads audit records, keyvalue and json, and checks what must hold for every log."""
import collections
import json
import re

CLOSING = {"session.end", "request.denied", "request.failed", "auth.failure", "limit.reached",
           "protocol.error"}
HEAD = ("v", "time", "event", "worker", "seq")
PAIR = re.compile(rb'([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^ "\\]*))(?: |$)')
ESCAPE = re.compile(rb'\\(x[0-9a-f]{2}|.)')
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


def _unescape(match):
    what = match[1]
    if what[:1] == b"x":
        return bytes([int(what[1:], 16)])
    return {b"n": b"\n", b"r": b"\r"}.get(what, what)


def parse_keyvalue(line):
    """A dict of texts (bytes as latin-1), or None when this is no record. Strict: a line that is
    not made of pairs alone, or has a key twice, fails."""
    if not line.startswith(b"v=1 "):
        return None
    record, at = {}, 0
    while at < len(line):
        pair = PAIR.match(line, at)
        assert pair, f"no pair at {at} of {line!r}"
        key = pair[1].decode()
        assert key not in record, f"{key} twice in {line!r}"
        value = pair[3] if pair[2] is None else ESCAPE.sub(_unescape, pair[2])
        record[key] = value.decode("latin-1")
        at = pair.end()
    return record


def _once(pairs):
    record = dict(pairs)
    assert len(record) == len(pairs), f"a key twice in {pairs}"
    return record


def parse_json(line):
    if not line.startswith(b'{"v":1'):
        return None
    record = json.loads(line, object_pairs_hook=_once)
    return {key: value if isinstance(value, str) else str(value) for key, value in record.items()}


def parse(data, whole_lines_only=True):
    """Records of a log's bytes; lines that are no records (diagnostics) are left out."""
    lines = data.split(b"\n")
    if whole_lines_only:
        lines = lines[:-1]
    found = [parse_keyvalue(line) or parse_json(line) for line in lines]
    return [record for record in found if record]


def check(records, repeats=False):
    """What holds for any complete log: the head of each record, no hole in seq, and exactly one
    closing record for each session. repeats: a logger was lost, so lines may come twice."""
    for record in records:
        assert tuple(record)[:5] == HEAD, record
        assert TIME.match(record["time"]), record
        assert "" not in record.values(), record
    check_seq(records, repeats)
    check_closing(records, repeats)


def check_seq(records, repeats=False):
    seqs = collections.defaultdict(list)
    for record in records:
        seqs[record["worker"]].append(int(record["seq"]))
    for worker, numbers in seqs.items():
        if not repeats:
            assert len(set(numbers)) == len(numbers), f"seq repeats in {worker}: {numbers}"
        holes = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
        assert not holes, f"{worker} misses seq {holes[:10]} of 1..{max(numbers)}"


def check_closing(records, repeats=False):
    seen = {(r["worker"], r["seq"]): r for r in records} if repeats else dict(enumerate(records))
    closing, started = collections.Counter(), collections.Counter()
    for record in seen.values():
        if "session" not in record:
            continue
        closing[record["session"]] += record["event"] in CLOSING
        started[record["session"]] += record["event"] == "session.start"
    wrong = {session: n for session, n in closing.items() if n != 1}
    assert not wrong, f"closing records per session: {wrong}"
    assert max(started.values(), default=0) <= 1, started

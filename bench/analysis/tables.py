# SPDX-License-Identifier: Apache-2.0
"""keyward-bench table VERB: what a verb's --json document says, for people.

The document comes on standard input, from the program that made it.
"""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import verb

Lines = Iterator[str]
TEMPLATES = Path(__file__).parent / "templates"
PERCENTILES = ("p50", "p90", "p99", "p99.9")
METHODS = ("status", "encrypt", "decrypt")


def render(template: str, facts: dict[str, Any]) -> str:
    """jinja2.UndefinedError names a member that is not there."""
    import jinja2
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True,
                             lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return env.get_template(f"{template}.j2").render(facts).rstrip("\n")


def row(name: str, words: str) -> str:
    return f"  {name:15} {words}"


def plural(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def spent(ns: float) -> str:
    return f"{ns / 1e9:g}s"


def failures(all_codes: dict[str, Any], name: str) -> Lines:
    for code, v in all_codes.items():
        yield row(name, f"{v['count']} {code}: {v['message']}")


def percentiles_text(o: dict[str, Any], unit: str, scale: float) -> str:
    """Those that enough samples lie beyond, and what else is known of them."""
    return "  ".join(f"{name} {o[name + unit] / scale:.1f}"
                     for name in ("mean", *PERCENTILES, "max") if name + unit in o)


# ---- load -------------------------------------------------------------------------------------


def load_title(o: dict[str, Any]) -> str:
    words = (f"{o['socket']}: {o['mix']}, {o['in_flight']} in flight on "
             f"{plural(o['connections'], 'connection')}")
    if "decrypt" in o["mix"]:
        words += f", ciphertexts {o['ciphertexts']}"
    if o["rate"] > 0:
        words += f", {o['rate']} calls/s meant"
    return words + (f", at most {o['max_rate']} calls/s" if o["max_rate"] > 0 else "")


def load_intent(d: dict[str, Any]) -> Lines:
    o = d["options"]
    yield load_title(o)
    yield row("first", f"{o['connections']} Status, then {d['ciphertexts']} Encrypt to make "
              "ciphertexts")
    yield row("warm-up", spent(o["warmup_ns"]) + (", the rate growing from 0" if o["ramp"] else ""))
    yield row("measured", f"{o['calls']} replies" if o["calls"] > 0 else spent(o["seconds_ns"]))
    yield row("proof", f"{d['seeds']} Decrypt at most, of what Encrypt answered")
    yield "Nothing was sent (--dry-run)."


def load_latency(title: str, o: dict[str, Any]) -> Lines:
    if o["count"] > 0:
        yield row(title, percentiles_text(o, "_ns", 1e3))


def load_methods(d: dict[str, Any]) -> Lines:
    """Of a mix: one method alone is what the first lines are about."""
    for name, c in d["by_method"].items() if len(d["by_method"]) > 1 else ():
        rate = c["good"] * 1e9 / max(d["elapsed_ns"], 1)
        yield row(name, f"{c['good']} good = {rate:.0f}/s; {c['wrong']} wrong, {c['failed']} "
                  f"failed, {c['missed']} missed the deadline")
        yield from load_latency("  latency, us", c["latency"])


def load_process(p: dict[str, Any]) -> str:
    ticks = p["user_ticks"] + p["system_ticks"]
    words = (f"pid {p['pid']}, resident {p['resident_kib'] / 1024:.1f} MiB "
             f"({p['resident_before_kib'] / 1024:.1f} before, {p['resident_max_kib'] / 1024:.1f} "
             f"most ever), {p['threads']} threads")
    kernel = f", {100 * p['system_ticks'] / ticks:.0f} % of its CPU in the kernel"
    return row(p["name"], words + (kernel if ticks > 10 else ""))


def load_cpu(d: dict[str, Any]) -> Lines:
    f, p = d["figures"], d["processes"]
    server = (f"server {f.get('server_us', 0):.2f} + children {f.get('workers_us', 0):.2f} = "
              f"{f.get('cpu_us', 0):.2f}" if p["known"] else
              "server unknown (who listens cannot be read; --server-pid says it)")
    yield row("CPU us/call", f"{server}; this client {f.get('client_us', 0):.2f}")
    if not p["known"]:
        return
    if d["good"] > 0:
        children = sum(c["switches"] for c in p["children"])
        yield row("switches/call", f"server {p['server']['switches'] / d['good']:.2f}, children "
                  f"{children / d['good']:.2f}")
    yield from map(load_process, [p["server"], *p["children"]])
    if p["lost"]:
        yield row("note", "a process ended meanwhile: CPU is a lower bound")


def load_table(d: dict[str, Any]) -> Lines:
    o, f = d["options"], d["figures"]
    yield load_title(o)
    if d["partial"]:
        yield f"  PARTIAL: {d['fault']}"
    yield row("calls", f"{d['good']} good in {d['elapsed_ns'] / 1e9:.3f} s = "
              f"{f['calls_per_s']:.0f}/s; {d['wrong']} wrong, {d['failed']} failed")
    if o["timeout_ns"] > 0:
        yield row("goodput", f"{f['goodput_per_s']:.0f}/s good in time; {d['missed']} missed the "
                  f"deadline ({d['overdue']} answered late, {d['exceeded']} not)")
    yield from load_latency("latency, us", d["latency"])
    yield from load_methods(d)
    yield from load_cpu(d)
    yield row("longest gap", f"{d['longest_gap_ns'] / 1e6:.1f} ms without a good reply")
    if o["rate"] > 0:
        yield row("late", f"{d['late']} calls due and not made at the end")
    if d["proven"] + d["not_proven"] > 0:
        yield row("proof",
                  f"{d['proven']} ciphertexts decrypted afterwards, {d['not_proven']} not")
    yield from failures(d["failures"], "errors")
    yield from load_latency("errors, us", d["failed_latency"])


# ---- token ------------------------------------------------------------------------------------


def token_what(o: dict[str, Any]) -> str:
    where = {"": "", "session": "'s session", "copy": ", copied into the session"}
    key = " with a throw-away key of the token" if o["key"] else ""
    return f"{o['operation']}{key}{where.get(o['key'], '')}"


def token_keyring(d: dict[str, Any]) -> str:
    k = d["keyring"]
    return row("keyring", f"{k['path']}: {k['keys']} keys that are not touched" if k else
               "none was there to be read (/etc/keyward/keyring.json, or --keyring)")


def token_limit(o: dict[str, Any]) -> Lines:
    if o["max_rate"] > 0:
        yield row("limit", f"{o['max_rate']} operations/s at most")


def token_shape(o: dict[str, Any]) -> str:
    return f"{o['processes']} processes x {o['threads']} threads x {o['sessions']} sessions"


def token_intent(d: dict[str, Any]) -> Lines:
    o = d["options"]
    yield f"would load {o['module']}, find {o['uri']} and measure {token_what(o)}"
    yield row("shape", " ".join(["by turns", *map(str, o["curve"]), "processes of one session"])
              if o["curve"] else token_shape(o))
    yield row("logins", f"{d['logins']}, one after the other")
    yield row("sessions", f"{d['sessions_open']} open at once")
    each = (row("operations", f"{o['calls']} each") if o["calls"] > 0 else
            row("time", f"{o['seconds_ns'] / 1e9:.3f} s each"))
    yield f"{each}, after {(o['ramp_ns'] + o['warmup_ns']) / 1e9:.3f} s of ramp and warm-up"
    yield from token_limit(o)
    yield token_keyring(d)
    yield "nothing was touched: this is a dry run"


def token_sweep(d: dict[str, Any]) -> Lines:
    """What became of each: the program has listed them before it destroyed any."""
    for key in d["leftovers"]:
        fate = "destroyed" if key["destroyed"] else key["kept"] or "still there"
        yield f"{key['label']}: {fate}"


def token_point(shape: str, p: dict[str, Any], rate: str) -> Lines:
    yield from ("", f"  {shape}")
    yield row("operations", f"{p['good']} in {p['elapsed_ns'] / 1e9:.3f} s = "
              f"{p.get(rate, 0):.0f}/s; {p['wrong']} wrong"
              + ("; not to its end" if p["partial"] else ""))
    if p["good"] > 0:
        yield row("latency, us", percentiles_text(p, "_us", 1))
    if "cpu_us" in p:
        yield row("CPU us/call", f"{p['cpu_us']:.2f}, switches {p['switches']:.3f}")


def token_table(d: dict[str, Any]) -> Lines:
    o, t = d["options"], d["token"]
    yield (f"token {t['label']} ({t['manufacturer']} {t['model']}, firmware {t['firmware']}, "
           f"hardware {t['hardware']}), library {t['library']} {t['library_version']}")
    seals = f", {t['mechanism']}, IV of the {t['iv']}" if t["mechanism"] else ""
    yield f"  {token_what(o)}{seals}"
    yield token_keyring(d)
    yield from token_limit(o)
    if d["partial"]:
        yield f"  PARTIAL: {d['fault'] or 'interrupted'}"
    if "curve" not in d:
        yield from token_point(token_shape(o), d | d["figures"], "calls_per_s")
    for p in d.get("curve", ()):
        yield from token_point(f"{p['sessions']} processes x 1 threads x 1 sessions", p,
                               "ops_per_s")


# ---- storm ------------------------------------------------------------------------------------


def storm_title(d: dict[str, Any]) -> str:
    o = d["options"]
    return (f"{'a day' if 'day_ns' in o else 'a start'} of {plural(o['servers'], 'API server')} on "
            f"{plural(len(o['sockets']), 'socket')}: {o['seeds']} seeds, {o['parallel']} x "
            f"{o['readers']} lists each, timeout {o['timeout_ns'] // 10 ** 6} ms")


def storm_intent(d: dict[str, Any]) -> Lines:
    o = d["options"]
    servers, reads = o["servers"], o["servers"] * o["seeds"]
    yield (f"would make {o['seeds']} ciphertexts, then let {servers} servers on "
           f"{plural(len(o['sockets']), 'socket')} unwrap all of them:")
    yield (f"at least {servers} Status, {servers} Encrypt, {reads} to {reads * o['readers']} "
           "Decrypt without retries")


def storm_latency(d: dict[str, Any]) -> str:
    """The mean and the most are those of the histogram, at most 1/128 too high."""
    counts, f = d["histogram"], d["figures"]
    mean = sum(ns * count for ns, count in counts) / sum(count for _, count in counts)
    return percentiles_text({"mean_us": mean / 1e3, **f, "max_us": counts[-1][0] / 1e3}, "_us", 1)


def storm_table(d: dict[str, Any]) -> Lines:
    def ms(at: float | None) -> str:
        return "never" if at is None else f"{at:.1f}"

    ready = d.get("ready_ms")
    yield f"{storm_title(d)}, the plugin's cache {d['cache']}"
    if d["partial"]:
        yield f"  PARTIAL: {d['fault']}"
    yield row("ready", f"{ms(ready)}{'' if ready is None else ' ms'} (by server: "
              f"{' '.join(map(ms, d['ready_by_server_ms']))})")
    if d.get("restarts", 0) > 0:
        yield row("restarts", f"{d['restarts']}, the slowest was ready after "
                  f"{ms(d['figures'].get('slowest_start_ms'))} ms")
    yield row("requests", f"{d['requests']} Decrypts ({d['duplicates']} while an equal one was "
              f"under way), {d['calls']['encrypt']} Encrypts, {d['calls']['status']} Status")
    yield row("HSM operations", f"{d['hsm_operations']} unwraps ({d['joined']} joined, "
              f"{d['cache_hits']} from the cache; {d['hsm_jobs']} jobs in all, with canaries and "
              "wraps)" if "hsm_operations" in d else
              "unknown (--status SOCKET asks keywardd)")
    if d["good"]["decrypt"] > 0:
        yield row("latency us", storm_latency(d))
    yield row("deadline misses", str(d["deadline_misses"]))
    if d["wrong"] > 0:
        yield row("WRONG REPLIES", str(d["wrong"]))
    yield from failures(d["failures"], "failed")
    if d["list_retries"] + d["bad_checks"] > 0:
        yield row("retries", f"{d['list_retries']} lists begun anew, {d['bad_checks']} bad checks")
    if "hours" in d:
        yield "  hour    Status   Encrypt   Decrypt    failed"
    for h in d.get("hours", ()):
        counts = [h["calls"][m] for m in METHODS] + [sum(h["failed"].values())]
        yield f"  {h['hour']:4} " + " ".join(f"{n:9}" for n in counts)


# ---- which ------------------------------------------------------------------------------------

TABLES: dict[str, Callable[[dict[str, Any]], Lines]] = {
    "load": load_table, "load intent": load_intent, "token": token_table,
    "token intent": token_intent, "token leftovers": token_sweep,
    "storm": storm_table, "storm intent": storm_intent}


def table_of(d: dict[str, Any]) -> Lines:
    kind = d["tool"].removeprefix("keyward-bench ")
    if "leftovers" in d:
        kind += " leftovers"
    elif d.get("dry_run"):
        kind += " intent"
    return TABLES[kind](d)


def main(words: list[str], _bench: str) -> int:
    if len(words) != 1:
        raise verb.Usage("it wants the name of one verb, and that verb's document on stdin")
    try:
        said = list(table_of(json.load(sys.stdin)))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise verb.Unable(f"no document of {words[0]} that this program knows: {error!r}")
    print("\n".join(said))
    return verb.GOOD

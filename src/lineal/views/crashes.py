"""Runs whose process is dead: how that is noticed, and what they died of."""

import time

from lineal import memory
from lineal.host import LifeSign, boot_id, machine_of
from lineal.model.records import RunRecord
from lineal.model.states import Status
from lineal.model.text import duration_text, size_text
from lineal.views.base import Stores

SILENCE = 60.0
"""Seconds without a heartbeat after which a run on another machine counts as dead."""


def notice_crash(record: RunRecord, workspace: Stores) -> RunRecord:
    """Give a run's record, after marking it crashed, with the reason, if it says running and its process is dead.

    A process on another machine, or one that reaches the facts through a server and has another home, cannot be asked: it counts as dead
    after 60 seconds without a heartbeat.
    """
    if record.status is not Status.RUNNING:
        return record
    now = time.time_ns() // 1000
    alive = None if record.process is None else workspace.life.is_alive(record.process)
    silence = (now - (record.heartbeat or record.started)) / 1e6
    if alive or (alive is None and silence < SILENCE):
        return record
    if alive is None or record.process is None:
        where = "its process" if record.process is None else f"its process on {machine_of(record.process)}"
        reason = f"lost: {where} has given no sign of life for {duration_text(silence)}"
    else:
        reason = cause_of_death(record.process, workspace.life)
    workspace.metadata.crash_run(record.id, reason, now)
    return workspace.metadata.get_run(record.id)


def cause_of_death(process: str, life: LifeSign) -> str:
    """Say what a process of this machine that is gone died of, as far as what it last wrote and the system's counts tell."""
    last = life.last(process)
    if last is None:
        return "killed: its process ended without finishing it"
    if last.boot != boot_id():
        return "lost: the machine was started anew while it ran"
    starved = memory.killed_since(last.kills)
    if starved is None and last.peak and last.limit:
        starved = last.peak > memory.NEAR * last.limit
    used = "" if last.peak is None else f"; it had used {size_text(last.peak)}" + (f" of {size_text(last.limit)}" if last.limit else "")
    if starved:
        return f"out of memory: the system killed its process, as it seems for want of memory{used}"
    return f"killed: its process ended without finishing it, by a signal or a crash in native code{used}"

"""The guardian of one run: `python -m exports.training.supervisor FOLDER`.

A process in a session of its own that outlives the app. It starts the trainer once and never
again, writes `status.json` (heartbeat, stop deadlines, exit code, reason) and `log.txt`, asks the
trainer to save and leave when the file `stop` appears, and takes every process of the run down
with the run.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from exports.training.machine import this_machine
from exports.training.outcome import LOG, judge
from exports.training.process import TOKEN, identify, is_alive, myself, processes_with, signal_all
from exports.training.process import trainers as trainer_pids
from schemas.training import RunOrder, RunStatus

ORDER, STATUS, STOP, LOCK = "order.json", "status.json", "stop", "supervisor.lock"
TICK_S = 0.2
HEARTBEAT_S = 1.0


def supervise(folder: Path) -> None:
    """Start the trainer of a run and stay until it is over.

    Does nothing if the run has or had a supervisor: starting twice is starting once.
    """
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if not (folder / STATUS).exists():
            _Watch(folder).run()


class _Watch:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.order = RunOrder.model_validate_json((folder / ORDER).read_bytes())
        self.is_told_to_stop = False
        self.status = RunStatus(
            state="starting",
            token=self.order.token,
            machine=this_machine(),
            supervisor=myself(),
            heartbeat=time.time(),
        )
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def run(self) -> None:
        # Written before the trainer is started: a supervisor killed in between has had its turn.
        self._write()
        process = self._start()
        self._write(state="running", trainer=identify(process.pid))
        while not self._has_left(process.pid):
            self._beat()
            self._mind_stop()
            time.sleep(TICK_S)
        # The dead trainer is not reaped yet, so none of these pids can be somebody else's.
        signal_all(set(processes_with(self.order.token)) - {os.getpid()}, signal.SIGKILL)
        self._finish(process.wait())

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PLANWRIGHT_")
        }
        environment |= self.order.environment | {TOKEN: self.order.token}
        with (self.folder / LOG).open("ab") as log:
            try:
                return subprocess.Popen(
                    self.order.command,
                    cwd=self.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                log.write(f"{error}\n".encode())
                log.flush()
                return subprocess.Popen(["/bin/sh", "-c", "exit 127"], start_new_session=True)

    @staticmethod
    def _has_left(pid: int) -> bool:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _beat(self) -> None:
        if time.time() - self.status.heartbeat >= HEARTBEAT_S:
            self._write(heartbeat=time.time())

    def _mind_stop(self) -> None:
        """One step at a time: save and leave, then leave at once, then be killed."""
        now = time.time()
        match self.status.stop_phase:
            case None:
                if self._shall_stop():
                    signal_all(trainer_pids(self.order.token), signal.SIGTERM)
                    self._enter("saving", self.order.saving_s)
            case "saving" if now >= (self.status.stop_deadline or now) or self._is_hurried():
                signal_all(processes_with(self.order.token), signal.SIGTERM)
                self._enter("leaving", self.order.leaving_s)
            case "leaving" if now >= (self.status.stop_deadline or now):
                signal_all(processes_with(self.order.token), signal.SIGKILL)
                self._enter("killing", self.order.leaving_s)
            case _:
                pass

    def _enter(self, phase: str, seconds: float) -> None:
        self._write(state="stopping", stop_phase=phase, stop_deadline=time.time() + seconds)

    def _shall_stop(self) -> bool:
        owner = self.order.owner
        return (
            self.is_told_to_stop
            or (self.folder / STOP).exists()
            or (owner is not None and not is_alive(owner))
        )

    def _is_hurried(self) -> bool:
        path = self.folder / STOP
        return path.exists() and path.read_text("utf-8") == "now"

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.is_told_to_stop = True

    def _finish(self, exit_code: int) -> None:
        verdict = judge(
            self.folder,
            self.order,
            exit_code,
            was_asked_to_stop=self.status.stop_phase is not None,
        )
        self._write(exit_code=exit_code, heartbeat=time.time(), **verdict._asdict())

    def _write(self, **changes: object) -> None:
        self.status = RunStatus.model_validate(self.status.model_dump() | changes)
        unfinished = self.folder / f"{STATUS}.new"
        unfinished.write_text(self.status.model_dump_json(), "utf-8")
        unfinished.rename(self.folder / STATUS)


def main(folder: Path) -> None:
    """Leave the caller's session and its child list, then supervise."""
    if os.fork():
        os._exit(0)
    os.setsid()
    supervise(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

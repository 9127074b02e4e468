"""A stand-in for ms-swift's process tree, to test supervision: a wrapper that starts a trainer.

`write_trainer` writes both scripts into a folder and gives the wrapper's command. The trainer is
named as ms-swift's is, notes each start, and then does what its act says.
"""

import sys
from pathlib import Path

WRAPPER = """
import subprocess, sys
from pathlib import Path
trainer = Path(__file__).parent / "cli" / "sft.py"
done = subprocess.run([sys.executable, str(trainer), *sys.argv[1:]])
sys.exit(done.returncode)
"""

SWIFT = """#!{python}
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "{wrapper}", "{act}"]).returncode)
"""

TRAINER = """
import os, signal, subprocess, sys, time
from pathlib import Path

act = sys.argv[1]
output = Path("output")
with Path("starts").open("a") as starts:
    starts.write(f"{os.getpid()}\\n")
print("train_dataset: Dataset({\\n    features: ['messages'],\\n    num_rows: 3\\n})", flush=True)

def save(step):
    (output / f"checkpoint-{step}").mkdir(parents=True, exist_ok=True)
    (output / f"checkpoint-{step}" / "model.safetensors").touch()
    (output / f"checkpoint-{step}" / "optimizer.pt").touch()
    state = f'{{"global_step": {step}, "max_steps": 2}}'
    (output / f"checkpoint-{step}" / "trainer_state.json").write_text(state)

def save_and_leave(*_):
    save(1)
    sys.exit(0)

if act == "succeed":
    save(2)
elif act == "leave nothing":
    pass
elif act == "fail":
    print("ValueError: no such thing", flush=True)
    sys.exit(3)
elif act == "go on":
    signal.signal(signal.SIGTERM, save_and_leave)
    Path("ready").touch()
    while True:
        time.sleep(0.05)
elif act == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path("ready").touch()
    while True:
        time.sleep(0.05)
elif act == "leave a child":
    save(2)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
"""


def write_trainer(folder: Path, act: str) -> tuple[str, ...]:
    """The command of a fake trainer that does `act`."""
    (folder / "cli").mkdir(parents=True)
    (folder / "wrapper.py").write_text(WRAPPER)
    (folder / "cli" / "sft.py").write_text(TRAINER)
    return (sys.executable, str(folder / "wrapper.py"), act)


def write_swift(folder: Path, act: str) -> Path:
    """A `swift` that does `act`, whatever it is asked; the interpreter beside it, for settings."""
    wrapper = write_trainer(folder / "trainer", act)[1]
    swift = folder / "bin" / "swift"
    swift.parent.mkdir(parents=True)
    swift.write_text(SWIFT.format(python=sys.executable, wrapper=wrapper, act=act))
    swift.chmod(0o755)
    return swift.with_name("python")

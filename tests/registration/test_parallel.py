import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from ircolor.errors import UserError
from ircolor.registration.parallel import each_done


def square(number: int) -> int:
    return number * number


def process_and_threads(_: int) -> tuple[int, int]:
    time.sleep(0.1)
    return os.getpid(), cv2.getNumThreads()


def die(number: int) -> int:
    if number == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("num_workers", [1, 2])
def test_each_item_comes_back_once_with_its_number(num_workers: int) -> None:
    assert sorted(each_done(square, range(12), num_workers)) == [(number, number**2) for number in range(12)]
    assert list(each_done(square, [], num_workers)) == []


def test_each_process_keeps_to_one_core() -> None:
    before = cv2.getNumThreads()
    found = {result for _, result in each_done(process_and_threads, range(6), 2)}
    assert {threads for _, threads in found} == {1}
    assert os.getpid() not in {process for process, _ in found}
    assert {result for _, result in each_done(process_and_threads, range(2), 1)} == {(os.getpid(), 1)}
    assert cv2.getNumThreads() == before


def test_a_process_that_dies_is_told_after_what_was_done() -> None:
    done = []

    def work() -> None:
        for _, number in each_done(die, range(12), 2):
            done.append(number)

    with pytest.raises(UserError, match="a worker process died"):
        work()
    assert done
    assert 9 not in done


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script = tmp_path / "work.py"
    script.write_text(
        "from tests.registration.test_parallel import note_process_and_wait\n"
        "from ircolor.registration.parallel import each_done\n"
        f"if __name__ == '__main__': list(each_done(note_process_and_wait, [{str(tmp_path)!r}] * 2, 2))\n"
    )
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, script], cwd=root, env=os.environ | {"PYTHONPATH": str(root)})
    workers = _eventually(lambda: list(tmp_path.glob("*.pid")), lambda found: len(found) == 2)
    parent.kill()
    parent.wait()
    _eventually(lambda: [file for file in workers if Path("/proc", file.stem).exists()], lambda alive: not alive)


def _eventually(look: Callable[[], list[Path]], enough: Callable[[list[Path]], bool]) -> list[Path]:
    deadline_s = time.monotonic() + 30
    while not enough(found := look()):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    return found


def note_process_and_wait(folder: str) -> None:
    Path(folder, f"{os.getpid()}.pid").touch()
    time.sleep(60)


def test_an_interruption_ends_all_processes() -> None:
    processes = set()

    def work() -> None:
        for _, (process, _) in each_done(process_and_threads, range(1000), 2):
            processes.add(process)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        work()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4])
def test_signals_one_after_the_other_while_processes_begin_leave_none_behind(after_s: float) -> None:
    program = f"""
import os, signal, threading, time
from ircolor.registration.parallel import each_done
def interrupt():
    time.sleep({after_s})
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
if __name__ == "__main__":
    threading.Thread(target=interrupt).start()
    try:
        list(each_done(time.sleep, [0.01] * 1000, 2))
    except KeyboardInterrupt:
        print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "interrupted\n", done.stderr

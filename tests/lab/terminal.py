"""Runs a command on a terminal, as a person would, and answers its questions."""

import fcntl
import os
import pty
import select
import subprocess
import termios
import time


class Terminal:
    """A command on a pseudo-terminal; `screen` is all that was shown so far, echoes included."""

    def __init__(self, argv, env=None):
        self._screen, inner = pty.openpty()
        self._process = subprocess.Popen(
            argv, stdin=inner, stdout=inner, stderr=inner, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that it has a /dev/tty
        )
        os.close(inner)
        self.screen = ""
        self._answered = 0

    def answer(self, question, text, timeout=20):
        """Waits until `question` shows up (in any case) after the last answer, and types a line."""
        self._read_until(lambda: question.lower() in self.screen[self._answered:].lower(), timeout)
        self._answered = len(self.screen)
        os.write(self._screen, f"{text}\n".encode())

    def finish(self, timeout=30):
        """Waits for the command's end and gives its exit status."""
        self._read_until(lambda: False, timeout, until_end=True)
        os.close(self._screen)
        return self._process.wait(timeout)

    def _read_until(self, satisfied, timeout, until_end=False):
        deadline = time.monotonic() + timeout
        while not satisfied():
            readable, _, _ = select.select([self._screen], [], [], max(0, deadline - time.monotonic()))
            if not readable:
                self._process.kill()
                raise TimeoutError(f"the terminal shows only:\n{self.screen}")
            try:
                data = os.read(self._screen, 4096)
            except OSError:  # how a pseudo-terminal says that its other side is closed
                data = b""
            if not data:
                if until_end:
                    return
                raise RuntimeError(f"the command ended early:\n{self.screen}")
            self.screen += data.decode(errors="replace")

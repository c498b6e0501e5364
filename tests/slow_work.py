"""Kinds of long work that go wrong on purpose."""

from __future__ import annotations

import os
import signal
import time


def sleep(_db, _ask, file, tell):
    """Work that never ends by itself."""
    file.write_bytes(b"half")
    for step in range(1000):
        tell(step, 1000)
        time.sleep(0.1)
    return "never.txt"


def hang(_db, _ask, file, _tell):
    """Work that never says how far it is."""
    file.write_bytes(b"half")
    time.sleep(100)
    return "never.txt"


def die(_db, _ask, file, _tell):
    """Work that takes its process with it, as one without memory does."""
    file.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)


def evil_name(_db, _ask, file, _tell):
    """Work whose file has a name that no header and no folder may trust."""
    file.write_bytes(b"x")
    return '../../etc/"x"\r\nSet-Cookie: a=b\u202etxt.exe'

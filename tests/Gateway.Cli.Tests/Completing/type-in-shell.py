"""Types into a shell on a terminal of its own, and waits for what it answers.

Arguments: the shell's command line as JSON, and as JSON a list of pairs: what is typed, and what must then be read (a regular expression).
Ends with 0 when all of it was read; otherwise prints what was, and ends with 1.
"""
import json
import os
import pty
import re
import select
import signal
import sys
import time

LIMIT = 60  # seconds for one answer: of a busy machine

shell, steps = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(shell[0], shell)

# Sequences that move the cursor or set colours say nothing about the words.
control = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][0-9A-Za-z]?|\x1b\][^\x07]*\x07|[\x00-\x08\x0e-\x1f]")
code = 0
for typed, expected in steps:
    os.write(terminal, typed.encode())
    read, until = "", time.monotonic() + LIMIT
    while not re.search(expected, control.sub("", read)):
        ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
        try:
            data = os.read(terminal, 65536) if ready else b""
        except OSError:
            data = b""
        if not data:
            print(f"typed {typed!r}, never read {expected!r}, but {control.sub('', read)!r}")
            code = 1
            break
        read += data.decode(errors="replace")
    if code:
        break
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
sys.exit(code)

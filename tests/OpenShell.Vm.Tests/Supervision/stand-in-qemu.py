"""Speaks as much of QMP as a test needs, and ends only by the means that it is told to heed: stand-in-qemu.py SOCKET [powerdown] [quit] [term]"""
import json
import signal
import socket
import sys
import time

heeds = sys.argv[2:]
if "term" not in heeds:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
qmp = socket.socket(socket.AF_UNIX)
qmp.connect(sys.argv[1])


def say(message):
    qmp.sendall((json.dumps(message) + "\n").encode())


say({"QMP": {}})
for line in qmp.makefile():
    command = json.loads(line)
    name = command["execute"]
    print(name, flush=True)
    if name == "qmp_capabilities" or name == "query-status":
        say({"return": {"status": "running"}, "id": command["id"]})
        if "nospace" in heeds and name == "query-status":
            say({"event": "BLOCK_IO_ERROR", "data": {"nospace": True, "action": "stop", "device": "", "operation": "write"}})
            say({"event": "STOP"})
    elif name == "cont":
        say({"return": {}, "id": command["id"]})
        say({"event": "RESUME"})
    elif name == "system_powerdown" and "powerdown" in heeds:
        say({"return": {}, "id": command["id"]})
        say({"event": "SHUTDOWN", "data": {"guest": True, "reason": "guest-shutdown"}})
        sys.exit(0)
    elif name == "quit" and "quit" in heeds:
        sys.exit(0)
while True:
    time.sleep(1000)

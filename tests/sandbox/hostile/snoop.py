# Other processes, through /proc and ptrace.
import ctypes
import os

print([name for name in os.listdir("/proc") if name.isdigit()])
libc = ctypes.CDLL(None, use_errno=True)
attach = 16
for pid in (os.getppid(), 1, 2, 3, int("@PID@")):
    if pid != os.getpid() and libc.ptrace(attach, pid, None, None) == 0:
        print("attached", pid)
    for name in ("mem", "maps", "cmdline", "fd/0"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                print("opened", file.name)
        except OSError:
            pass

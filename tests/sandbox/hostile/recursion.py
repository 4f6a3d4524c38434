# Python's stack, then that of C.
import sys

sys.setrecursionlimit(10_000_000)


def down(n: int) -> int:
    return down(n + 1) + 1


down(0)

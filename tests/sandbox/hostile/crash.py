# A fault of memory.
import ctypes

ctypes.string_at(0)

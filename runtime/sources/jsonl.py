"""What the runtime uses of sources, whatever their format; the name is from when it was one."""

from __future__ import annotations

from .sampling import sample_rows
from .scan import column_types, doc_cutoff, scan_partitions
from .spec import Partition, Sample, SourceSpec, Unreadable

__all__ = [
    "Partition",
    "Sample",
    "SourceSpec",
    "Unreadable",
    "column_types",
    "doc_cutoff",
    "sample_rows",
    "scan_partitions",
]

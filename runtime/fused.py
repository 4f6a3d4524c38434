"""Columnar steps that share a stage: a frame goes through all of them in one hop to a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from .channels import Inbox, Mark
from .stages import MapStage


@dataclass(slots=True)
class FusedStage:
    """Columnar steps one behind the other, each with its own account and readers of its ports."""

    steps: list[MapStage]

    @property
    def inbox(self) -> Inbox:
        """Where rows come in: at the first step."""
        return self.steps[0].inbox

    async def run(self) -> None:
        """Map each frame through all steps."""
        while (frame := await self.inbox.next()) is not None:
            if isinstance(frame, Mark):
                for step in self.steps:
                    await step.outlets.mark(frame)
                continue
            for step, port, made in await asyncio.to_thread(self.apply, frame):
                await step.outlets.put(port, made)
        for step in self.steps:
            await step.outlets.end()

    def apply(self, frame: pl.DataFrame) -> list[tuple[MapStage, str, pl.DataFrame]]:
        """Map one frame: what leaves, by step and port. What nobody reads is not held."""
        return list(self._leaving(frame))

    def _leaving(self, frame: pl.DataFrame) -> Iterator[tuple[MapStage, str, pl.DataFrame]]:
        for step in self.steps:
            frame, rejected = step.apply(frame)
            if rejected is not None and step.outlets.wanted("rejected"):
                yield step, "rejected", rejected
            if step.outlets.wanted(""):
                yield step, "", frame
            if not frame.height:  # nothing to go on with, as between stages of their own
                return

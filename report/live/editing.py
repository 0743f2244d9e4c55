"""The homework that all tabs and an editor change: applying changes, saving them, telling who watches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from report.errors import ReportError
from report.homework.homework import Homework
from report.live import form
from report.live.homework_file import HomeworkFile
from report.live.worker import Worker

QUICK = 5.0  # seconds that values and graph may take
SAVE_AFTER = 0.5  # seconds without a change


class Editing:
    """One homework, the worker that computes its values, and those who watch."""

    def __init__(self, path: Path | None) -> None:
        self.file = HomeworkFile(path)
        self.quick = Worker()
        self.watchers: set[asyncio.Queue[str]] = set()
        self.losses: dict[str, list[float]] = {}
        self.untouched: dict[str, set[str]] = {}  # inputs that nobody has set, of new homework too
        if path is None:
            self.untouched = {q.id: set(q.inputs) for q in self.file.parsed.questions}
        self.saving: asyncio.Task[None] | None = None
        self.problem = ""  # why the file could not be saved or read

    async def apply(
        self, question: str, heading: Mapping[str, Any], changed: dict[str, Any]
    ) -> None:
        """Put changes into the homework; a new formula brings its inputs along."""
        values = dict(changed.get("inputs", {}))
        untouched = self.untouched.setdefault(question, set())
        untouched.difference_update(values)
        if "function" in changed:
            values |= await self.inputs_for(question, changed["function"])
        elif untouched and self.reshapes(question, values):
            values |= await self.fitted(question, values)
        if values:
            changed["inputs"] = values
            gone = {name for name, value in values.items() if value is None}
            wrt = self.file.parsed.question(question).wrt
            if wrt and gone & set(wrt):
                changed["wrt"] = [name for name in wrt if name not in gone] or None
        if self.file.edit(question, heading, changed):
            self.losses.pop(question, None)
            self.changed()

    def reshapes(self, question: str, values: Mapping[str, Any]) -> bool:
        """Whether an input gets another shape."""
        now = self.file.parsed.question(question).inputs
        return any(
            form.shape(now.get(n)) != form.shape(v) for n, v in values.items() if v is not None
        )

    async def fitted(self, question: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs that nobody has set, in shapes that go with the values of others."""
        q = self.file.parsed.question(question)
        inputs = {name: v for name, v in {**q.inputs, **values}.items() if v is not None}
        own = {n: inputs.pop(n) for n in self.untouched[question] if n in inputs}
        args = (q.function, inputs, own)
        found: dict[str, Any] = await self.quick.ask("guessed", *args, seconds=QUICK)
        return found

    async def inputs_for(self, question: str, function: str) -> dict[str, Any]:
        """Values for names that are new in a formula; None for found ones that it has no more."""
        q = self.file.parsed.question(question)
        free = form.free_names(function, q.inputs)
        if free is None:
            return {}
        untouched = self.untouched.setdefault(question, set())
        gone = {name for name in untouched if name not in free}
        values: dict[str, Any] = dict.fromkeys(gone)
        untouched -= gone
        untouched |= set(free) - q.inputs.keys()
        own = {n: q.inputs.get(n, 1.0) for n in free if n in untouched}
        if own:
            kept = {k: v for k, v in q.inputs.items() if k not in gone and k not in untouched}
            values |= await self.quick.ask("guessed", function, kept, own, seconds=QUICK)
        return values

    def touch(self, before: Homework) -> None:
        """Note which inputs somebody has set in the text of the file."""
        old = {q.id: q.inputs for q in before.questions}
        for q in self.file.parsed.questions:
            same = {n for n, v in q.inputs.items() if old.get(q.id, {}).get(n) == v}
            self.untouched[q.id] = self.untouched.get(q.id, set()) & same

    # ------------------------------------------------------------ other tabs, and the disk

    def changed(self) -> None:
        """Tell every tab, and save soon."""
        self.tell(f"version {self.file.version}")
        if self.file.path is not None:
            if self.saving:
                self.saving.cancel()
            self.saving = asyncio.create_task(self.save_soon())

    def tell(self, words: str) -> None:
        """Send an event to every tab."""
        for queue in self.watchers:
            queue.put_nowait(words)

    async def save_soon(self) -> None:
        """Save when nothing has changed for a moment."""
        await asyncio.sleep(SAVE_AFTER)
        self.save()
        self.tell(f"problem {self.problem}" if self.problem else self.saved_words())

    def saved_words(self) -> str:
        """That the file holds what the page shows."""
        return f"saved in {self.file.path.name}" if self.file.path else "saved"

    def save(self) -> None:
        """Write the file, after taking over what another program has written."""
        try:
            self.file.follow()
            self.file.save()
            self.problem = ""
        except ReportError as error:
            self.problem = str(error).replace("\n", " ")

    async def follow(self) -> None:
        """Take over each change that an editor makes to the file."""
        if self.file.path is None:
            return
        from watchfiles import awatch

        path = self.file.path.resolve()
        async for changes in awatch(path.parent, debounce=100, recursive=False):
            if all(Path(name).name != path.name for _, name in changes):
                continue
            try:
                before = self.file.parsed
                if self.file.follow():
                    self.touch(before)
                    self.losses.clear()
                    self.tell(f"version {self.file.version}")
                if self.problem:
                    self.problem = ""
                    self.tell(self.saved_words())
            except ReportError as error:
                self.problem = str(error)
                self.tell("problem " + self.problem.replace("\n", " "))

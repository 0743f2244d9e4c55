"""The application: the page, what a change brings, files to take away, news for other tabs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from report import document, pipeline, resources, student
from report.autodiff.inputs import check_name
from report.errors import ReportError
from report.homework.homework import Homework
from report.live import form, plot
from report.live.homework_file import HomeworkFile
from report.live.safety import Guarded
from report.live.worker import Superseded, Worker

QUICK, WHOLE, HEAVY = 5.0, 20.0, 120.0  # seconds that work may take
SAVE_AFTER = 0.5  # seconds without a change
MAX_STEPS = 500  # of gradient descent that the plot shows
_STATIC = {
    "live.css": ("assets/live/live.css", "text/css; charset=utf-8"),
    "screen.css": ("assets/live/screen.css", "text/css; charset=utf-8"),
    "copying.js": ("assets/live/copying.js", "text/javascript; charset=utf-8"),
    "stepper.css": ("assets/live/stepper.css", "text/css; charset=utf-8"),
    "live.js": ("assets/live/live.js", "text/javascript; charset=utf-8"),
    "stepper.js": ("assets/live/stepper.js", "text/javascript; charset=utf-8"),
    "htmx.min.js": ("assets/live/htmx.min.js", "text/javascript; charset=utf-8"),
    "idiomorph-ext.min.js": ("assets/live/idiomorph-ext.min.js", "text/javascript; charset=utf-8"),
    **{
        name: (f"assets/fonts/{name}", "font/otf" if name.endswith("otf") else "font/ttf")
        for name in (
            "STIXTwoText-Regular.otf",
            "STIXTwoText-Italic.otf",
            "STIXTwoText-Bold.otf",
            "STIXTwoMath-Regular.otf",
            "SourceCodePro-Regular.ttf",
        )
    },
}


class LivePage:
    """One homework, its worker processes, and those who watch."""

    def __init__(self, path: Path | None) -> None:
        self.file = HomeworkFile(path)
        self.quick, self.slow = Worker(), Worker()
        self.watchers: set[asyncio.Queue[str]] = set()
        self.losses: dict[str, list[float]] = {}
        self.untouched: dict[str, set[str]] = {}  # inputs that nobody has set, of new homework too
        if path is None:
            self.untouched = {q.id: set(q.inputs) for q in self.file.parsed.questions}
        self.saving: asyncio.Task[None] | None = None
        self.problem = ""  # why the file could not be saved or read

    def app(self, token: str, port: int) -> Guarded:
        """The application at its secret address."""
        routes = [
            Route("/", self.page),
            Route("/edit", self.edit, methods=["POST"]),
            Route("/input", self.change_input, methods=["POST"]),
            Route("/text", self.set_text, methods=["POST"]),
            Route("/undo", self.undo, methods=["POST"]),
            Route("/descend", self.descend, methods=["POST"]),
            Route("/own", self.own, methods=["POST"]),
            Route("/fragments", self.fragments),
            Route("/document", self.document),
            Route("/runs", self.runs),
            Route("/events", self.events),
            Route("/download/{kind}", self.download),
            Route("/static/{name}", self.static),
        ]
        whole = Starlette(
            routes=[Mount(f"/{token}", routes=routes)],
            lifespan=self.lifespan,
            exception_handlers={ReportError: self.refuse},
        )
        return Guarded(whole, token, port)

    async def refuse(self, _: Request, error: Exception) -> Response:
        """What is wrong with a request to which no fragments can be given."""
        context = {"error": self.without_place(str(error)), "whole": False}
        return HTMLResponse(
            _render("live/error.html.j2", context), headers={**_FRESH, "HX-Trigger": "failed"}
        )

    def without_place(self, words: str) -> str:
        """A message without the file's name, which the page shows anyway."""
        plain = re.sub(rf"^{re.escape(self.file.name)}(, question [\w-]+)?: ", "", words)
        return plain.replace(self.file.name, Path(self.file.name).name)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Start the workers and follow the file; save what is left at the end."""
        started = [asyncio.create_task(w.ask("ready")) for w in (self.quick, self.slow)]
        following = asyncio.create_task(self.follow())
        try:
            yield
        finally:
            for task in (following, *started):
                task.cancel()
            if self.saving:
                self.saving.cancel()
            self.save()
            self.quick.end()
            self.slow.end()

    # ------------------------------------------------------------ the page

    async def page(self, request: Request) -> Response:
        """The whole page; that of the first question where no other one is named."""
        try:
            question = self.asked(request)
        except ReportError:
            return RedirectResponse("./")
        context = {**self.form_context(question), **await self.computed(question), "whole": True}
        return HTMLResponse(_render("live/page.html.j2", context), headers=_FRESH)

    def asked(self, request: Request) -> str:
        """The question that a request is about: the first where it names none. ReportError for none of the file."""
        known = [q.id for q in self.file.parsed.questions]
        name: str = request.query_params.get("q") or known[0]
        if name not in known:
            raise ReportError(
                f"the file has no question {name[:40]} any more; load the page without ?q="
            )
        return name

    def form_context(self, question: str) -> dict[str, Any]:
        """What the form shows."""
        homework = self.file.parsed
        asked = homework.question(question)
        return {
            "homework": homework,
            "question": asked,
            "inputs": form.inputs_of(asked),
            "more": form.more_of(asked),
            "unfold": " ".join(form.unfolded(asked)),
            "version": self.file.version,
            "file": self.file,
            "saved": self.file.path is not None and self.file.text == self.file.on_disk,
            "problem": self.problem,
            "losses": plot.losses(self.losses.get(question, [])),
            "count": len(self.losses.get(question, [])),
        }

    async def computed(self, question: str) -> dict[str, Any]:
        """The fragments for values and graph, or in `error` why there are none."""
        try:
            found = await self.quick.ask(
                "quick", self.file.text, self.file.name, question, kind="quick", seconds=QUICK
            )
        except ReportError as error:
            return {"error": self.without_place(str(error)), "parts": None}
        return {"error": "", "parts": found}

    async def fragments(self, request: Request) -> Response:
        """Everything that a change may have changed; for a tab that hears of one."""
        return await self.answer(self.asked(request))

    async def answer(
        self, question: str, error: str = "", fields: Collection[str] = ()
    ) -> Response:
        """The fragments after a change; `error` is what was wrong with it, or with some `fields` of it."""
        version = self.file.version
        try:
            found = await self.computed(question)
        except Superseded:
            return Response(status_code=204)
        if error:
            found = {**found, "error": self.without_place(error)}
        context = {**self.form_context(question), **found, "whole": False}
        told: dict[str, Any] = {"changed": None} if found["parts"] else {"failed": None}
        told |= {"rejected": list(fields), "version": version}
        headers = {**_FRESH, "HX-Trigger": json.dumps(told)}
        if version != self.file.version:
            context["version"] = version
        return HTMLResponse(_render("live/fragments.html.j2", context), headers=headers)

    # ------------------------------------------------------------ changes

    async def edit(self, request: Request) -> Response:
        """A form with what a user has changed in it."""
        posted = await _posted(request)
        question = self.asked(request)
        base = self.file.homework(_count(posted, "version", 0))
        changed = form.changes(posted, base, self.file.parsed, question)
        try:
            if changed:
                await self.apply(question, changed.heading, dict(changed.question))
        except ReportError as error:
            return await self.answer(question, str(error), posted)
        return await self.answer(question, "\n".join(changed.faults.values()), changed.faults)

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

    async def change_input(self, request: Request) -> Response:
        """One input in another way: its size, pasted numbers, drawn ones, taken away; or all drawn."""
        posted = await _posted(request)
        question = self.asked(request)
        q = self.file.parsed.question(question)
        name, what = posted.get("name", ""), posted.get("what", "")
        try:
            if what == "draw":
                plain = [i.name for i in form.inputs_of(q) if i.kind in form.KINDS]
                values = form.drawn(q.inputs, plain, posted.get("seed", "1")[:100])
            elif what == "add":
                if name in q.inputs:
                    raise ReportError(f"there is an input {name!r} already")
                values = {check_name(name): 1.0}
            elif name not in q.inputs:
                raise ReportError(f"there is no input {name[:40]!r}")
            elif what == "paste":
                values = {name: form.pasted(posted.get("text", ""), name)}
            elif what == "size":
                rows, columns = (_count(posted, key) for key in ("rows", "columns"))
                values = {name: form.sized(q.inputs[name], rows, columns)}
            else:
                values = {name: None}
            await self.apply(question, {}, {"inputs": values})
        except ReportError as error:
            return await self.answer(question, str(error))
        return await self.answer(question)

    async def set_text(self, request: Request) -> Response:
        """The file as text."""
        posted = await _posted(request)
        question = self.asked(request)
        try:
            if _count(posted, "version", 0) != self.file.version:
                raise ReportError(
                    "the file was changed elsewhere meanwhile; copy your text, then load the page again"
                )
            before = self.file.parsed
            if self.file.change(posted.get("text", "")):
                self.touch(before)
                self.file.unsaved.clear()
                self.losses.clear()
                self.changed()
        except ReportError as error:
            return await self.answer(question, str(error), ["text"])
        return await self.answer(self.asked(request))

    def touch(self, before: Homework) -> None:
        """Note which inputs somebody has set in the text of the file."""
        old = {q.id: q.inputs for q in before.questions}
        for q in self.file.parsed.questions:
            same = {n for n, v in q.inputs.items() if old.get(q.id, {}).get(n) == v}
            self.untouched[q.id] = self.untouched.get(q.id, set()) & same

    async def undo(self, request: Request) -> Response:
        """Take back the last change."""
        if self.file.undo():
            self.losses.clear()
            self.changed()
        return await self.answer(self.asked(request))

    async def descend(self, request: Request) -> Response:
        """Steps of gradient descent: each input asked for less its gradient times the rate."""
        posted = await _posted(request)
        question = self.asked(request)
        losses = self.losses.get(question, [])
        try:
            rate = float(form.number(posted.get("rate", ""), "rate"))
            many = min(_count(posted, "steps"), 100)
            for _ in range(many):
                losses = losses or [await self.value(question)]
                args = (self.file.text, self.file.name, question)
                slopes = await self.quick.ask("gradients", *args, seconds=QUICK)
                q = self.file.parsed.question(question)
                moved = {name: _less(q.inputs[name], g, rate) for name, g in slopes.items()}
                if self.file.edit(question, {}, {"inputs": moved}):
                    self.changed()
                losses = [*losses, await self.value(question)][-MAX_STEPS:]
        except ReportError as error:
            self.losses[question] = losses
            return await self.answer(question, str(error))
        self.losses[question] = losses
        return await self.answer(question)

    async def value(self, question: str) -> float:
        """The function's value with the inputs of now."""
        args = (self.file.text, self.file.name, question)
        found: float = await self.quick.ask("value", *args, seconds=QUICK)
        return found

    # ------------------------------------------------------------ the document and files

    async def document(self, request: Request) -> Response:
        """The question as in the report, without what its programs print."""
        return await self.asked_for("whole", request, WHOLE)

    async def runs(self, request: Request) -> Response:
        """The same with its programs run; nothing where the homework has changed meanwhile."""
        return await self.asked_for("with_runs", request, WHOLE)

    async def asked_for(self, what: str, request: Request, seconds: float) -> Response:
        """What the slow worker makes of the question, the newest request first."""
        version = self.file.version
        question = self.asked(request)
        args = (self.file.text, self.file.name, question)
        try:
            found = await self.slow.ask(what, *args, kind="document", seconds=seconds)
        except Superseded:
            return Response(status_code=204)
        except ReportError as error:
            words = self.without_place(str(error))
            return HTMLResponse(_render("live/failed.html.j2", {"error": words}), headers=_FRESH)
        if what == "with_runs" and version != self.file.version:
            return Response(status_code=204)
        mark = f'<span id="document-version" data-version="{version}" hidden></span>'
        return HTMLResponse(mark + found, headers=_FRESH)

    async def own(self, request: Request) -> Response:
        """A student's own numbers, or a program that is to run now, held against the question."""
        posted = await _posted(request)
        question = self.asked(request)
        what, written = posted.get("what", ""), posted.get("text", "")
        args = (self.file.text, self.file.name, question)
        try:
            if what == "numbers":
                found = await self.slow.ask("own_numbers", *args, written, seconds=WHOLE)
            else:
                name, source = self.own_source(question, what, written)
                found = await self.slow.ask("own_program", *args, name, source, seconds=HEAVY)
        except ReportError as error:
            words = self.without_place(str(error))
            found = _render("live/own-failed.html.j2", {"fault": words})
        return HTMLResponse(found, headers=_FRESH)

    def own_source(self, question: str, what: str, written: str) -> tuple[str, str]:
        """The name and the text of a program: what was typed, or a file that the homework names."""
        if what == "program":
            notebook = written.lstrip().startswith("{")
            return ("mine.ipynb" if notebook else "mine.py"), written.replace("\r\n", "\n")
        name = what.removeprefix("file:")
        if self.file.path is None or name not in self.file.parsed.question(question).program:
            raise ReportError("this homework names no such program")
        own = pipeline.own_file(self.file.path, name)
        return name, student.program_text(own)

    async def download(self, request: Request) -> Response:
        """A file for the user."""
        kind = request.path_params["kind"]
        if kind == "toml":
            name = self.file.path.name if self.file.path else "homework.toml"
            return _file(self.file.text.encode(), "application/toml; charset=utf-8", name)
        if kind not in ("solution", "sheet", "key", "html", "svg", "programs", "trace"):
            return Response("There is no such file.", status_code=404)
        try:
            args = (self.file.text, self.file.name, kind, self.asked(request))
            return _file(*await self.slow.ask("download", *args, seconds=HEAVY))
        except ReportError as error:
            words = self.without_place(str(error))
            return Response(words, status_code=422, media_type="text/plain; charset=utf-8")

    async def static(self, request: Request) -> Response:
        """A file of the page itself."""
        name = request.path_params["name"]
        if name == "document.css":
            return Response(document.scoped_css(".document"), media_type="text/css; charset=utf-8")
        if name not in _STATIC:
            return Response("There is no such file.", status_code=404)
        path, kind = _STATIC[name]
        return Response(resources.path(path).read_bytes(), media_type=kind)

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

    async def events(self, request: Request) -> Response:
        """What happens elsewhere, as server-sent events."""
        queue: asyncio.Queue[str] = asyncio.Queue()

        async def stream() -> AsyncIterator[str]:
            self.watchers.add(queue)
            try:
                yield f"data: version {self.file.version}\n\n"
                while True:
                    yield f"data: {await queue.get()}\n\n"
            finally:
                self.watchers.discard(queue)

        return StreamingResponse(stream(), media_type="text/event-stream", headers=_FRESH)


# ---------------------------------------------------------------- small things

_FRESH = {"Cache-Control": "no-store"}


def _render(name: str, context: Mapping[str, Any]) -> str:
    return document.environment(document.BROWSER).get_template(name).render(context)


async def _posted(request: Request) -> dict[str, str]:
    """The fields of a form."""
    try:
        body = (await request.body()).decode("utf-8", "replace")
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=5000))
    except (ValueError, ClientDisconnect):
        raise ReportError("this is too large for the live page") from None


def _count(posted: Mapping[str, str], key: str, least: int = 1) -> int:
    """A whole number of a form; the least where there is none."""
    text = posted.get(key, "").strip()
    return max(int(text), least) if re.fullmatch(r"[0-9]{1,9}", text) else least


def _file(data: bytes, kind: str, name: str) -> Response:
    plain = re.sub(r"[^\w.-]", "-", name, flags=re.ASCII)
    headers = {**_FRESH, "Content-Disposition": f'attachment; filename="{plain}"'}
    return Response(data, media_type=kind, headers=headers)


def _less(value: Any, gradient: Any, rate: float) -> Any:
    """x − rate · gradient, rounded to six digits, as they are shown and saved."""
    if isinstance(value, list):
        return [_less(v, g, rate) for v, g in zip(value, gradient, strict=True)]
    return float(f"{value - rate * gradient:.6g}")

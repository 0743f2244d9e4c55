"""Objects of other classes as arguments: nothing of theirs runs, and the answer is a ReportError at once."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from report import ReportError, build, trace
from report.errors import shown

HOMEWORK = Path(__file__).parents[2] / "problems" / "homework1.toml"
ran: list[str] = []


def _record(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        ran.append(f"{type(self).__name__}.{name}")
        raise RuntimeError(name)

    return method


METHODS = (
    "__repr__", "__str__", "__float__", "__int__", "__index__", "__len__", "__iter__", "__getitem__", "__array__",
    "__bool__", "__format__", "__eq__", "tolist", "items", "keys", "__array_ufunc__",
)  # fmt: skip


def hostile(base: type, *args: Any) -> Any:
    """An object whose every method leaves a note and raises."""
    methods = {name: _record(name) for name in METHODS}
    return type(f"Hostile{base.__name__}", (base,), {**methods, "__hash__": base.__hash__})(*args)


class Disguised:
    """An object that does not tell its class."""

    __class__ = property(_record("__class__"))


def objects() -> dict[str, Any]:
    view: Any = np.ones(2).view(type("View", (np.ndarray,), {"tolist": _record("tolist")}))
    inside = np.empty(1, dtype=object)
    inside[0] = hostile(object)
    return {
        "object": hostile(object),
        "float": hostile(float, 1.0),
        "int": hostile(int, 1),
        "list": hostile(list, [1.0]),
        "tuple": hostile(tuple, (1.0,)),
        "dict": hostile(dict, {"x": 1.0}),
        "float64": hostile(np.float64, 1.0),
        "object array": inside,
        "generator": (1.0 for _ in itertools.count()),
        "deque": collections.deque([1.0]),
        "decimal": decimal.Decimal(1),
        "timedelta": dt.timedelta(1),
        "timedelta64": np.array([1, 2], "m8[s]"),
        "datetime64": np.array(["2020-01-01"], "M8[D]"),
        "not a time": np.datetime64("NaT"),
        "masked": np.ma.masked_array([1.0, 2.0], mask=[False, True]),
        "masked number": np.ma.masked,
        "records": np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        "class": float,
        "disguised": Disguised(),
        "view in a dict": {"a": view},
    }


OBJECTS = objects()


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    ran.clear()
    start = time.process_time()
    yield
    assert ran == []
    assert list(tmp_path.iterdir()) == []
    assert time.process_time() - start < 15  # of a second, on the slowest machine


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("wrapped", [lambda v: v, lambda v: [v], lambda v: [[1.0], [v]]])
def test_no_value_is_asked_what_it_is(kind: str, wrapped: Callable[[Any], Any]) -> None:
    with pytest.raises(ReportError, match=r"^input ('x'|x)"):
        trace("sum(x)", {"x": wrapped(OBJECTS[kind])})


@pytest.mark.parametrize("kind", OBJECTS)
def test_no_name_is_asked_what_it_is(kind: str) -> None:
    one = OBJECTS[kind]
    for call in (
        lambda: trace("x", {"x": 1.0}, wrt=one),
        lambda: trace("x", {"x": 1.0}, wrt=[one]),
        lambda: trace("x", {"x": 1.0}, unfold=one),
        lambda: trace("x", {"x": 1.0}, unfold=[one]),
        lambda: trace(one, {"x": 1.0}),
        lambda: build(one, "out.pdf"),
        lambda: build(HOMEWORK, one),
        lambda: build(HOMEWORK, "out.pdf", overrides={"q1.x1": one}),
        lambda: build(HOMEWORK, "out.pdf", overrides={"author": one}),
        lambda: build(HOMEWORK, "out.pdf", seed=one),
        lambda: build(HOMEWORK, "out.pdf", edition=one),
        lambda: build(HOMEWORK, "out.pdf", inputs=one),
    ):
        with pytest.raises(ReportError):
            call()


@pytest.mark.parametrize("kind", OBJECTS)
def test_no_table_is_asked_what_it_is(kind: str) -> None:
    if kind not in ("dict", "view in a dict"):  # these are tables
        with pytest.raises(ReportError, match="must be a table"):
            trace("x", OBJECTS[kind])
        with pytest.raises(ReportError, match="overrides"):
            build(HOMEWORK, "out.pdf", overrides=OBJECTS[kind])


def test_a_table_of_another_class_is_copied_once_and_may_fail() -> None:
    class Table(Mapping[str, float]):
        def __init__(self, names: Any) -> None:
            self.names = names

        def __getitem__(self, name: str) -> float:
            return {"x": 2.0}[name]

        def __iter__(self) -> Iterator[str]:
            return iter(self.names)

        def __len__(self) -> int:
            raise RuntimeError

    assert trace("x*x", Table(["x"])).value == 4
    assert trace("x*x", collections.OrderedDict(x=2)).value == 4
    endless = (f"x{i}" for i in itertools.count())
    with pytest.raises(ReportError, match="must be a table of names and values, not a Table"):
        trace("x*x", Table(["y"]))
    table = Table(endless)
    table.__class__.__getitem__ = lambda self, name: 1.0  # type: ignore[method-assign]
    with pytest.raises(ReportError, match="more than 100000 names"):
        trace("x*x", table)


@pytest.mark.parametrize(
    "names",
    [itertools.count(), itertools.repeat("x"), range(10**12), (n for n in "x"), np.array(["x"]), "x", b"x"],
    ids=range(7),
)  # fmt: skip
def test_names_come_in_a_list(names: Any) -> None:
    with pytest.raises(ReportError, match="must be a list"):
        trace("x", {"x": 1.0}, wrt=names)
    with pytest.raises(ReportError, match="must be a list"):
        trace("x", {"x": 1.0}, unfold=names)


def test_tuples_sets_and_keys_are_lists_of_names() -> None:
    inputs = {"x": 1.0}
    for names in (("x",), {"x"}, frozenset("x"), inputs.keys(), [np.str_("x")]):
        assert list(trace("x", inputs, wrt=names).gradients) == ["x"]


def _shared() -> Any:
    many: Any = []
    for _ in range(7):
        many = [many] * 1000
    return many


def _cyclic() -> Any:
    cyclic: list[Any] = []
    cyclic += [cyclic] * 100
    return cyclic


LARGE = {
    "shared lists": _shared(),
    "cyclic lists": _cyclic(),
    "empty lists": [[[]] * 3000] * 3000,
    "a view": np.broadcast_to(1.0, (10**6, 10**6)),
    "a view of bytes": np.broadcast_to(np.int8(1), (10**9,)),
    "a view in a list": [np.broadcast_to(1.0, (10**6, 10**6))],
    "a row too short": [(1.0,)] * 600_000 + [(1.0, 2.0)],
}


@pytest.mark.parametrize("kind", LARGE)
def test_what_is_large_is_refused_before_it_is_copied(kind: str) -> None:
    with pytest.raises(ReportError):
        trace("sum(x)", {"x": LARGE[kind]})


@pytest.mark.parametrize("kind", LARGE)
def test_what_is_large_is_no_override(kind: str) -> None:
    with pytest.raises(ReportError):
        build(HOMEWORK, "out.pdf", overrides={"q1.x1": LARGE[kind]})


def test_all_inputs_together_are_bounded() -> None:
    with pytest.raises(ReportError, match="10000000 entries together"):
        trace("x0", {f"x{i}": np.broadcast_to(1.0, (10**6,)) for i in range(200)})


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ([True, False], [1, 0]),
        (np.array([[True], [False]]), [[1], [0]]),
        ([np.bool_(True)], [1]),
        ([np.array([True]), np.array([False])], [[1], [0]]),
        (np.ones(2).view(type("View", (np.ndarray,), {"tolist": _record("tolist")})), [1, 1]),
        ([np.float64(1), 2, np.int8(3)], [1, 2, 3]),
        ([np.ones(2), (3, 4)], [[1, 1], [3, 4]]),
        (np.array([1, 2], dtype=">f8"), [1, 2]),
        (np.array(2.5), 2.5),
    ],
)
def test_arrays_and_lists_are_numbers(value: Any, numbers: Any) -> None:
    np.testing.assert_array_equal(trace("sum(x)", {"x": value}).inputs[0].value, numbers)


@pytest.mark.parametrize("value", [True, np.bool_(True), np.array(True), [1, True], [True, 0.5]])
def test_a_truth_value_is_no_number(value: Any) -> None:
    with pytest.raises(ReportError, match="truth value"):
        trace("sum(x)", {"x": value})


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        (7, "7"),
        (0.5, "0.5"),
        (True, "True"),
        (None, "None"),
        ("a\nb", r"'a\nb'"),
        ("a" * 50, "'" + "a" * 37 + "...'"),
        (10**5000, "a very long number"),
        ([1, "b", [object()]], "[1, 'b', [an object]]"),
        ({"a": hostile(object)}, "{'a': a Hostileobject}"),
        (hostile(list), "a Hostilelist"),
    ],
    ids=range(10),
)
def test_a_value_is_quoted_without_asking_it(value: Any, quoted: str) -> None:
    assert shown(value) == quoted


def test_a_list_that_holds_itself_is_quoted() -> None:
    cyclic: list[Any] = [1]
    cyclic.append(cyclic)
    assert len(shown(cyclic)) <= 40


def test_every_message_can_be_printed() -> None:
    for text in ("x*\ud800", "\udc00\ud800x", "x\x1b[31m", "x\u202e*y"):
        with pytest.raises(ReportError) as raised:
            trace(text, {"x": 1.0})
        lines = str(raised.value).split("\n")
        assert all(line.isprintable() for line in lines)
        assert lines[-1].strip(" ") == "^"
    names: list[Any] = ["\ud800", "x\x1b", b"x", 10**5000, ("x",), hostile(object)]
    for name in names:
        with pytest.raises(ReportError) as raised:
            trace("1", {name: 1.0})
        assert str(raised.value).isprintable()


def test_there_may_be_no_inputs() -> None:
    assert trace("2 + 3").value == 5
    with pytest.raises(ReportError, match="inputs must be a table"):
        trace("2", None)

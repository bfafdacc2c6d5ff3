"""The page without a browser: its answers, whom it answers, what it refuses, and what a link holds."""

from __future__ import annotations

import http.client
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import indexcalc as ic
from indexcalc.__main__ import main
from indexcalc.page.server import LONGEST, STATIC, PageServer
from indexcalc.reading.tokens.dialects import DIALECTS

ROOT = Path(__file__).resolve().parent.parent
LAYER = {"formula": "Y = X@W + B", "by": "dL/dW"}
NODE = pytest.mark.skipif(shutil.which("node") is None, reason="it runs node, not installed here")


def served(**limits: Any) -> Iterator[PageServer]:
    """A page on a free port, with its workers, until it is closed."""
    server = PageServer(**limits)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def page() -> Iterator[PageServer]:
    """A page that nothing is too long for but what is meant to be."""
    yield from served(seconds=30.0)


@pytest.fixture
def hasty() -> Iterator[PageServer]:
    """A page whose workers have little time and memory."""
    yield from served(seconds=1.0, memory=2 << 30)


def asked(page: PageServer, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
    """The status, the headers and the content of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", page.server_port, timeout=30)
    data = json.dumps(body).encode() if isinstance(body, dict | list) else body
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(method, path, data, sent)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    kind = reply.headers.get_content_type()
    return reply.status, reply.headers, json.loads(content) if kind == "application/json" and content else content


def answer(page: PageServer, verb: str, **question: Any) -> Any:
    """The answer to a question."""
    status, _, found = asked(page, "POST", f"/api/{verb}", question)
    assert status == 200
    return found


# ------------------------------------------------------------------ answers


def test_the_linear_layer(page: PageServer) -> None:
    found = answer(page, "derive", **LAYER)
    assert found["result"]["text"] == "X.T @ G" and found["note"] == "read with X n×d, W d×m, B n×m"
    assert [row["name"] for row in found["variables"]] == ["X", "W", "B"]
    by_name = {name: group for group in found["groups"] for name in group["names"]}
    assert by_name["numerator"]["formula"] == "G.T @ X" and by_name["numerator"]["axes"] == ["j", "i"]
    assert by_name["gradient"] is by_name["denominator"] and by_name["magnus-neudecker"]["run"] == "by columns (F)"
    assert answer(page, "steps", **LAYER)["lines"][-1]["right"] == "X.T @ G"
    assert all(f"import {name}" in answer(page, "source", target=target, **LAYER)["source"]
               for target, name in {"numpy": "numpy", "jax": "jax", "torch": "torch"}.items())  # fmt: skip
    numbers = answer(page, "numbers", **LAYER)
    assert numbers["check"]["agrees"] and numbers["functions"] == ["G"] and numbers["sizes"] == {"n": 2, "m": 3, "d": 4}
    assert [row["name"] for row in numbers["inputs"]] == ["B", "W", "X"] and len(numbers["values"]) == 4


def test_a_softmax_layer(page: PageServer) -> None:
    found = answer(page, "derive", formula="p = softmax(x W + b)", by="dp/dW")
    assert found["result"]["shape"] == ["d", "n", "d"] and found["views"]
    assert {name for row in found["refused"] for name in row["names"]} >= {"numerator", "gradient"}
    steps = answer(page, "steps", formula="p = softmax(x W + b)", by="b", style="differential")
    assert steps["lines"] and answer(page, "numbers", formula="softmax(x W + b)", by="W")["check"]["agrees"]


@pytest.mark.parametrize(("formula", "kind", "says"), [
    ("X' G", "right", ["gradient"]), ("dL/dW = G' X", "right", ["numerator"]), ("2 X' G", "partly", ["gradient"]),
    ("G X'", "partly", ["numerator"]), ("X' exp(G)", "wrong", []),
])  # fmt: skip
def test_a_formula_of_ones_own(page: PageServer, formula: str, kind: str, says: list[str]) -> None:
    found = answer(page, "check", check=formula, **LAYER)
    assert found["kind"] == kind and set(says) <= set(found["layouts"])
    assert found["right"] or found["repair"] in ("X.T @ G", "G.T @ X")
    if kind == "wrong":
        assert "entry" in found["example"] and "and should be" in found["example"]


@pytest.mark.parametrize(("formula", "by", "syntax", "result"), [
    ("‖X w − y‖²", "w", "", "2*X.T @ (X @ w - y)"),
    (r"\frac{1}{2} \lVert X w - y \rVert_2^2", r"\frac{\partial f}{\partial w}", "", "X.T @ (X @ w - y)"),
    ("norm2(X*w - y)^2", "w", "matlab", "2*X.T @ (X @ w - y)"),
    ("np.sum((X @ w - y)**2)", "w", "python", "2*X.T @ (X @ w - y)"),
    ("x_i W_ij + b_j", "W_ik", "", "x[i]*δ[j,k]"), ("x[i]*W[i,j]", "W", "", "x[k]*δ[j,l]"),
    ("f = sum(exp(X W)); f", "df/dW", "", "X.T @ exp(X @ W)"), ("d(x'A x)/dx", "", "", "(A + A.T) @ x"),
    ("x'A x", "x, x", "", "A + A.T"), ("Y = X W; f = sum(Y^2)", "dY/dX", "", "W[l,j]*delta(i, k, dim=n) -> [i,j,k,l]"),
])  # fmt: skip
def test_each_dialect(page: PageServer, formula: str, by: str, syntax: str, result: str) -> None:
    found = answer(page, "derive", formula=formula, by=by, syntax=syntax)
    assert found["result"]["text"] == result, found


def test_what_is_declared_counts_and_the_rest_is_guessed_around_it(page: PageServer) -> None:
    S = {"name": "S", "dims": "q q", "assume": ["symmetric"]}
    found = answer(page, "derive", formula="x'S x", by="x", declared=[S])
    assert found["result"]["text"] == "2*S @ x" and found["result"]["shape"] == ["q"]
    assert [(row["name"], row["dims"], row["own"]) for row in found["variables"]] == [
        ("S", "q q", True),
        ("x", "q", False),
    ]
    u = {"name": "u", "dims": "n m ->", "gradient": "g"}
    assert answer(page, "derive", formula="u(X W)", by="W", declared=[u])["error"]["kind"]
    known = [u, {"name": "X", "dims": "n d"}, {"name": "W", "dims": "d m"}]
    assert answer(page, "derive", formula="u(X W)", by="W", declared=known)["result"]["text"] == "X.T @ g"


def test_rows_and_columns_stand_beside_each_other(page: PageServer) -> None:
    """A formula in which vectors are columns, and the same with rows, where these are two; one where they are one."""
    found = answer(page, "derive", formula="y = tanh(W x + b)", by="x")
    numerator = next(group for group in found["groups"] if "numerator" in group["names"])
    assert [(one["vectors"], one["text"]) for one in numerator["stands"]] == [
        ("column", "diagm(1 - tanh(W @ x + b)**2) @ W"), ("row", "diagm(1 - tanh(x @ W.T + b)**2) @ W"),
    ]  # fmt: skip
    assert all(group["stands"] == [] for group in answer(page, "derive", **LAYER)["groups"])
    assert all(group["stands"] == [] for group in answer(page, "derive", formula="A x", by="x")["groups"])


@pytest.mark.parametrize(("formula", "by", "left"), [
    ("Y = X@W + B", "dL/dW", r"\partial L}{\partial W} = "), ("y = W x + b", "x", r"\partial y}{\partial x} = "),
    ("y_j = x_i W_ij", "W_kl", r"\partial y_{j}}{\partial W_{kl}} = "), ("x'x", "x", r"\partial}{\partial x}\left("),
    ("Z = X W; L = sum(Z^2)", "dZ/dW", r"\partial Z}{\partial W} = "),
])  # fmt: skip
def test_a_derivative_is_called_as_the_question_calls_it(page: PageServer, formula: str, by: str, left: str) -> None:
    assert answer(page, "derive", formula=formula, by=by)["result"]["full"].startswith(rf"\frac{{{left}")


def test_what_a_reader_might_trip_over_is_said(page: PageServer) -> None:
    assert "softmax is over all entries" in answer(page, "derive", formula="softmax(X W)", by="W")["note"]
    for formula in ("softmax(X W, axis=1)", "softmax(x)", "inv(X W)"):
        assert "all entries" not in answer(page, "derive", formula=formula, by="")["note"]


def test_numbers_that_json_has_not(page: PageServer) -> None:
    assert answer(page, "numbers", formula="(1+2j)*s", by="s")["values"][0][0] == "1+2j"
    assert answer(page, "numbers", formula="log(x - x)", by="x")["values"]


def test_a_picture(page: PageServer) -> None:
    for question in (LAYER, {"formula": "x_i W_ij", "by": "W"}, {"formula": "softmax(x)", "by": "x"}):
        found = answer(page, "picture", **question)
        assert found["svg"].startswith("<svg") and "<script" not in found["svg"] and found["text"].startswith("diagram")


def test_an_error_has_its_three_parts_and_says_how_it_would_be_read(page: PageServer) -> None:
    found = answer(page, "derive", formula="x W + b", by="W", vectors="column")
    assert found["error"]["found"].startswith("column 3") and found["error"]["instead"]
    assert found["reads"] == ["row", "numpy"] and [row["name"] for row in found["variables"]] == ["x", "W", "b"]
    assert "there is nothing to read" in answer(page, "derive", formula=" ")["error"]["text"]
    assert answer(page, "derive", formula="x'x", by="")["result"] is None


@pytest.mark.parametrize("question", [
    {"form": 1}, {"formula": 3}, {"formula": "x'x", "vectors": "up"}, {"formula": "x'x", "declared": "x"},
    {"formula": "x'x", "declared": [{"name": "x", "assume": [1]}]}, {"formula": "x'x", "structure": "odd"},
    {"formula": "x'x", "declared": [{"name": "guess", "dims": "n"}]}, {"formula": "x'x", "syntax": "cobol"},
    {"formula": "x'x", "declared": [{"name": "x", "dims": "n"}] * 2}, {"formula": "x'x", "batch": "1"},
    {"formula": "x'x", "declared": [{"name": "x", "dims": "n", "assume": ["blue"]}]}, {"formula": "\ud800"},
    {"formula": "L", "declared": [{"name": "L", "dims": "n ->"}]}, {"formula": "x'x", "by": "x", "target": "cobol"},
    {"formula": "x'x", "by": "x", "style": "epic"}, {"formula": "x'x", "by": "x", "seed": "1"},
])  # fmt: skip
def test_what_is_not_as_it_should_be_is_an_error(page: PageServer, question: Any) -> None:
    verb = {"target": "source", "style": "steps", "seed": "numbers"}.get([*question][-1], "derive")
    kind = answer(page, verb, **question)["error"]["kind"]
    assert hasattr(ic, kind) or kind in vars(ic.errors), kind


# ------------------------------------------------------------------ whom it answers, and what it refuses


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), [
    ("GET", "/", None, {"Host": "evil.example"}, 421), ("GET", "/", None, {"Host": "127.0.0.1"}, 421),
    ("POST", "/api/derive", LAYER, {"Host": "evil.example:80"}, 421),
    ("POST", "/api/derive", LAYER, {"Origin": "http://evil.example"}, 403),
    ("POST", "/api/derive", LAYER, {"Origin": "null"}, 403),
    ("POST", "/api/derive", LAYER, {"Sec_Fetch_Site": "cross-site"}, 403),
    ("POST", "/api/derive", LAYER, {"Content_Type": "text/plain"}, 415),
    ("POST", "/api/derive", b"{" * 60, {}, 400), ("POST", "/api/derive", b"\xff", {}, 400),
    ("POST", "/api/derive", b"[" * 9000, {}, 400), ("POST", "/api/derive", [1], {}, 400),
    ("POST", "/api/derive", b" " * (LONGEST + 1), {}, 413),
    ("POST", "/api/derive", b"{}", {"Content_Length": "-1"}, 411),
    ("POST", "/api/eval", LAYER, {}, 404), ("POST", "/", LAYER, {}, 404), ("GET", "/api/derive", None, {}, 404),
    ("PUT", "/api/derive", LAYER, {}, 501), ("DELETE", "/", None, {}, 501), ("OPTIONS", "/api/derive", None, {}, 501),
    ("GET", "/static/../server.py", None, {}, 404), ("GET", "/static/%2e%2e/server.py", None, {}, 404),
    ("GET", "/static//etc/passwd", None, {}, 404), ("GET", "/../../etc/passwd", None, {}, 404),
    ("GET", "/static/katex/LICENSE/..%00", None, {}, 404), ("GET", "/static/", None, {}, 404),
])  # fmt: skip
def test_a_hostile_request_is_refused(
    page: PageServer, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    found, sent, content = asked(page, method, path, body, **headers)
    assert found == status and "error" in content
    assert "frame-ancestors 'none'" in sent["Content-Security-Policy"] and sent["X-Content-Type-Options"] == "nosniff"
    assert not any(name.lower().startswith("access-control") for name in sent)


@pytest.mark.parametrize("formula", [
    "__import__('os').system('touch /tmp/x')", "x.__class__.__mro__", "().__class__", "open('/etc/passwd')",
    "lambda: 0", "exec('1')", "[x for x in y]", "f'{x}'", "x; import os", "<script>alert(1)</script>",
    r"\input{/etc/passwd}", r"\href{javascript:alert(1)}{x}", "x\x00y",
])  # fmt: skip
def test_text_is_parsed_and_never_run(page: PageServer, formula: str) -> None:
    found = answer(page, "derive", formula=formula, by="x")
    assert found["error"]["kind"] in ("ParseError", "NameRefused", "NotationError"), found


def test_what_takes_too_long_or_too_much_is_ended_and_the_next_is_answered(hasty: PageServer) -> None:
    large = {"name": "A", "dims": "40000 40000"}
    assert answer(hasty, "numbers", formula="A A'", by="A", declared=[large])["error"]["instead"]
    long = "sum(" + "*".join(f"(x + {k}*y)" for k in range(1, 400)) + ")"
    found = answer(hasty, "numbers", formula=f"exp({long})", by="x, x, x")
    assert found["error"] == {**found["error"], "kind": "TooMuch", "found": "it takes more than 1 s"}
    for _ in range(3):  # the worker that was ended is replaced
        assert answer(hasty, "derive", **LAYER)["result"]["text"] == "X.T @ G"


def test_a_worker_that_dies_is_replaced(page: PageServer) -> None:
    for worker in list(page.pool.all):
        worker.process.kill()
    kinds = [answer(page, "derive", **LAYER).get("error", {}).get("kind", "answered") for _ in range(4)]
    assert kinds[-1] == "answered" and set(kinds) <= {"TooMuch", "answered"}


def test_own_hosts_and_own_origin_are_answered(page: PageServer) -> None:
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{page.server_port}"
        status, _, found = asked(page, "POST", "/api/derive", LAYER, Host=host, Origin=f"http://{host}")
        assert status == 200 and found["result"]
    assert asked(page, "HEAD", "/")[0] == 200 and asked(page, "HEAD", "/")[2] == b""


def test_the_page_asks_nothing_of_others(page: PageServer) -> None:
    status, headers, content = asked(page, "GET", "/")
    assert status == 200 and headers.get_content_type() == "text/html" and headers["Cache-Control"] == "no-store"
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in (".html", ".css", ".js"):
            text = path.read_text("utf-8")
            outside = [word for word in ('src="http', 'href="http', "url(http", "@import", "import(") if word in text]
            assert not outside, (path.name, outside)
            assert "katex" in path.parts or not {"innerHTML", "eval(", "new Function"} & {*text.split()}
            assert path.suffix != ".html" or ("<style" not in text and "style=" not in text and "onclick" not in text)
    named = {word for word in content.decode().replace('"', " ").split() if word.startswith("/static/")}
    assert all(asked(page, "GET", name)[0] == 200 for name in named) and len(named) == 5


def test_the_answer_is_there_soon(page: PageServer, record_property: Any) -> None:
    """How long answers take, when workers are warm, is counted, and is no claim: machines differ."""
    cases = json.loads((ROOT / "tests" / "corpus" / "cases.json").read_text())["cases"]
    taken = []
    for case in cases[:: len(cases) // 20][:20]:
        declared = [{"name": name, "dims": row["shape"]} for name, row in case["variables"].items()]
        question = {"formula": case["expr"], "by": case["wrt"][0], "vectors": "column", "declared": declared}
        begun = time.perf_counter()
        answer(page, "derive", **question)
        taken.append(time.perf_counter() - begun)
    record_property("median seconds of an answer", statistics.median(taken))
    assert len(taken) == 20


# ------------------------------------------------------------------ links, files, the command


@NODE
def test_a_link_is_an_answer() -> None:
    script = (
        (STATIC / "link.js").read_text("utf-8")
        + """
      const state = { ...EMPTY, formula: "Y = X @ W\\n+ 'B' & c=1 # ‖x‖²", by: "dL/dW", seed: 3, layout: "vec-rows",
        declared: [{ name: "S", dims: "n n", assume: ["symmetric", "positive_definite"], gradient: "" },
                   { name: "u", dims: "n:m ->", assume: [], gradient: "g" }] };
      const back = decode("#" + encode(state));
      console.log(JSON.stringify([state, back, decode("#let=%E0%A4%A&formula=x"), encode(EMPTY)]));
    """
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-"], input=script, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    state, back, cut, empty = json.loads(done.stdout)
    assert back == state and cut["formula"] == "x" and empty == ""


def test_the_dialects_of_the_page_are_those_of_the_reader() -> None:
    text = (STATIC / "index.html").read_text("utf-8")
    assert set(DIALECTS) == {"text", "latex"} | {name for name in ("matlab", "python") if f'value="{name}"' in text}


def test_the_licence_of_what_is_vendored_is_there() -> None:
    assert "Khan Academy" in (STATIC / "katex" / "LICENSE").read_text("utf-8")
    style = (STATIC / "katex" / "katex.min.css").read_text("utf-8")
    fonts = {path.name for path in (STATIC / "katex" / "fonts").iterdir()}
    assert all(f"fonts/{name}" in style for name in fonts) and len(fonts) == style.count("url(")


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    monkeypatch.setattr("indexcalc.later.serve", lambda port, browser, tell: served.append((port, browser)))
    assert main(["serve", "--port", "8123", "--no-browser"]) == 0 and main(["serve"]) == 0
    assert served == [(8123, False), (0, True)]
    assert main(["serve", "--dim", "x=n"]) == 2 and "its own fields" in capsys.readouterr().err
    assert main(["x[i]", "--wrt", "x[k]", "--dim", "x=n", "--port", "1"]) == 2
    assert "only serve has this option" in capsys.readouterr().err
    assert main(["serve", "--wrt", "serve", "--dim", "serve=n"]) == 0


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", f"--port={port}", "--no-browser"]) == 2
    assert "there is no such port" in capsys.readouterr().err


def test_a_port_that_is_taken(page: PageServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", str(page.server_port), "--no-browser"]) == 2
    assert "leave --port out" in capsys.readouterr().err

"""The live page under a dragging hand: `python -m benchmarks.live HOMEWORK.toml UPDATES`.

Changes one number of each question again and again, as a drag does, and prints JSON: for each update the
seconds that the server took for values and graph, and for these and the document.
"""

import json
import sys
import time
from pathlib import Path

from starlette.testclient import TestClient

from report.live.server import LivePage

HOME, TOKEN = "http://127.0.0.1:8000", "bench"


def main() -> None:
    text, updates = Path(sys.argv[1]).read_text(encoding="utf-8"), int(sys.argv[2])
    page = LivePage(None)
    page.file.change(text)
    cells = {"q1": "cell:x1:0:0", "q2": "cell:x:1:0"}
    graph, whole = [], []
    with TestClient(page.app(TOKEN, 8000), base_url=HOME, client=("127.0.0.1", 1)) as client:
        for i in range(-4, updates):  # the first ones warm it up
            question = "q1" if i % 2 else "q2"
            start = time.perf_counter()
            fields = {"version": str(page.file.version), cells[question]: f"{0.37 + 0.01 * i:.2f}"}
            answer = client.post(
                f"/{TOKEN}/edit?q={question}", data=fields, headers={"origin": HOME}
            )
            middle = time.perf_counter()
            document = client.get(f"/{TOKEN}/document?q={question}")
            end = time.perf_counter()
            if 'id="graph"' not in answer.text or "<math" not in document.text:
                sys.exit(answer.text[:2000])
            if i >= 0:
                graph.append(middle - start)
                whole.append(end - start)
    print(json.dumps({"graph": graph, "whole": whole}))


if __name__ == "__main__":
    main()

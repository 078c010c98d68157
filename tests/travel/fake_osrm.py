"""A road server that says what the test wants, in the table format of OSRM: sound answers, nulls, errors, garbage."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: (status, body) for a question; None: answer it soundly.
Answer = tuple[int, Any] | None


class FakeOsrm:
    """Free flow is 1 s and 10 m for each thousandth of a degree of latitude or longitude between two places."""

    def __init__(self, *, most_places: int = 1000) -> None:
        self.questions: list[str] = []
        #: What to say to the first, second ... question instead; used up.
        self.script: list[Answer | Callable[[], Answer]] = []
        #: Pairs of places (lat, lon to five decimals) that have no way between them.
        self.unreachable: set[tuple[tuple[float, float], tuple[float, float]]] = set()
        #: Metres by which a place is moved to the nearest road, 5 unless said here.
        self.moved: dict[tuple[float, float], float] = {}
        self.most_places = most_places
        self.delay = 0.0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake.questions.append(self.path)
                time.sleep(fake.delay)
                said = fake.script.pop(0) if fake.script else None
                answer = said() if callable(said) else said
                status, body = answer if answer is not None else fake.answer(self.path)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Silence."""

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # whoever asked did not wait
                    super().handle()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> tuple[int, Any]:
        parts = urlsplit(path)
        service, places = parts.path.rsplit("/", 1)
        assert service == "/table/v1/driving"
        points = [(float(lat), float(lon)) for lon, lat in (place.split(",") for place in places.split(";"))]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert query["annotations"] == "duration,distance"
        if len(points) > self.most_places:
            return 400, {"code": "TooBig", "message": "Too many table coordinates"}
        here = [points[int(number)] for number in query["sources"].split(";")]
        there = [points[int(number)] for number in query["destinations"].split(";")]
        seconds = [[self._seconds(a, b) for b in there] for a in here]
        return 200, {
            "code": "Ok",
            "durations": seconds,
            "distances": [[None if value is None else value * 10 for value in row] for row in seconds],
            "sources": [{"distance": self.moved.get(point, 5.0)} for point in here],
            "destinations": [{"distance": self.moved.get(point, 5.0)} for point in there],
        }

    def _seconds(self, a: tuple[float, float], b: tuple[float, float]) -> float | None:
        if (a, b) in self.unreachable:
            return None
        return round((abs(a[0] - b[0]) + abs(a[1] - b[1])) * 1000, 1)

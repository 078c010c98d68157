"""Our own files, sent small: style sheets and scripts are most of what a telephone loads on a bad line.

Files alone, never pages: a page has secrets in it, and how well it squeezes would tell of them (BREACH).
"""

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Response, request

_SQUEEZES = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})
_WORTH_IT = 1024


@lru_cache(maxsize=256)
def _small(path: str, _changed_ns: int) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 9, mtime=0)


def squeeze(answer: Response, folder: Path) -> Response:
    """The answer that sends a file of `folder`, compressed where the browser understands it and it is worth it."""
    if answer.mimetype not in _SQUEEZES or answer.status_code not in (200, 304):
        return answer
    answer.vary.add("Accept-Encoding")
    if answer.status_code == 304 or not request.accept_encodings["gzip"]:
        return answer
    path = folder / (request.view_args or {}).get("filename", "")
    size = answer.content_length or 0
    if size < _WORTH_IT or not path.is_file():
        return answer
    answer.close()  # the file itself is not sent
    answer.direct_passthrough = False
    answer.set_data(_small(str(path), path.stat().st_mtime_ns))
    answer.headers["Content-Encoding"] = "gzip"
    return answer

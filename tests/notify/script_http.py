"""A receiver of webhooks or a text gateway for one test, as a process of its own: python script_http.py FOLDER PORT HOW
[CERTIFICATE KEY].

Says its port on the first line and keeps every request it takes as a JSON file. HOW: `takes`; `dies-before-answer`,
which keeps the request and dies before it says so; a number, which is what it answers; `drips`, which begins to answer
and never ends. With a certificate it speaks TLS.
"""

import http.server
import json
import os
import ssl
import sys
from pathlib import Path


def _serve(folder: Path, port: int, how: str, certificate: list[str]) -> None:
    class Taker(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said = {"path": self.path, "headers": {name.lower(): self.headers[name] for name in self.headers}}
            number = len(list(folder.iterdir()))
            (folder / f"{number:04d}.json").write_text(json.dumps(said | {"body": body}))
            if how == "dies-before-answer":
                os._exit(1)
            if how == "drips":
                self.wfile.write(b"HTTP/1.1 ")
                self.rfile.read(1)  # until the other side has gone
                return
            self.send_response(204 if how == "takes" else int(how))
            self.send_header("Location", "https://elsewhere.example.org/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", port), Taker)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])

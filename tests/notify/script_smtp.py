"""A mail server for one test, as a process of its own: python script_smtp.py FOLDER [PORT] [HOW].

Says its port on the first line, and keeps every letter it takes as a file. HOW: `plain`; `dies-before-answer`, which
keeps the letter and dies before it says so; `refuses`, which
takes nobody's; `busy`, which asks to come back later with the nurse's.
"""

import os
import socketserver
import sys
from pathlib import Path


class Server(socketserver.TCPServer):
    allow_reuse_address = True


def _serve(folder: Path, port: int, how: str) -> None:
    class Session(socketserver.StreamRequestHandler):
        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self._say("220 test")
            for raw in self.rfile:
                word = raw.decode().strip().upper()
                if word.startswith("RCPT") and how == "refuses":
                    self._say("550 nobody of that name")
                elif word.startswith("RCPT") and "NURSE" in word and how == "busy":
                    self._say("450 come back later")
                elif word == "DATA":
                    self._say("354 go on")
                    self._keep()
                elif word == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _keep(self) -> None:
            lines = []
            for raw in self.rfile:
                if raw == b".\r\n":
                    break
                lines.append(raw)
            number = len(list(folder.iterdir()))
            (folder / f"{number:04d}.eml").write_bytes(b"".join(lines))
            if how == "dies-before-answer":
                os._exit(1)
            self._say("250 taken")

    with Server(("127.0.0.1", port), Session) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

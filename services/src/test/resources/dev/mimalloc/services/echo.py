# A service for tests: echo.py PORT EXIT. It answers each line with it, and "who" with the library that is preloaded; asked to end, it
# ends with EXIT.
import os
import signal
import socketserver
import sys


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            word = line.strip()
            if word == b"die":
                os._exit(7)
            self.wfile.write((os.environ.get("LD_PRELOAD", "").encode() if word == b"who" else word) + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


signal.signal(signal.SIGTERM, lambda *_: os._exit(int(sys.argv[2])))
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

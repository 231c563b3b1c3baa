#!/usr/bin/env python3
"""server.py - a static HTTP server that can be told to misbehave

SPDX-License-Identifier: GPL-3.0-or-later

server.py DIR [CERT KEY [CLIENT-CA]]

Serves DIR, with ranges, on a port of its own, which it writes to ./server.port;
with CERT and KEY as HTTPS, with CLIENT-CA only to clients with a certificate.
Every answer is a line in ./server.log, from before its first byte: STATUS PATH FIRST
BYTES, of what it is to hold.

How to misbehave is read from ./server.wrong before each answer: lines of
WORD PATTERN [ARGUMENT], of which the first whose shell pattern fits the path counts.
Nothing there depends on time: what stalls, stalls for ever.

  cut N        send N bytes, then drop the connection, as a server that restarts
  down         answer 503 (ARGUMENT: so often, then no more)
  short N      pretend the object has N bytes
  corrupt N    another byte N (of the object)
  wear N       another byte at N and every 1,000 bytes behind it
  stall N      send N bytes, then nothing, and keep the connection
  drip         send a byte now and then
  endless      send the object, then zeros without end
  wrong-range  answer a range that begins a byte later
  no-range     answer a range with all of the object
  long-range   answer a range with more than was asked for
  from DIR     serve the file of another folder
  kill N       end process ./client.pid when N bytes were sent since the last time
"""
import fnmatch
import os
import shutil
import signal
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOP = os.path.abspath(sys.argv[1])
PIECE = 16384
lock = threading.Lock()
sent_in_all = 0
downs = 0


def wrong_for(path):
    try:
        lines = open("server.wrong").read().splitlines()
    except FileNotFoundError:
        return "", ""
    for line in lines:
        word, pattern, *rest = line.split()
        if fnmatch.fnmatch(path, pattern):
            return word, rest[0] if rest else ""
    return "", ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        # Little on its way, so that what was sent has nearly arrived.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)

    def note(self, status, path, first, count):
        with lock, open("server.log", "a") as log:
            log.write("%d %s %d %d\n" % (status, path, first, count))

    def give(self, data, word, limit):
        """Send, and count; ends a process when told."""
        global sent_in_all
        count = 0
        while count < len(data):
            piece = data[count:count + PIECE]
            if word in ("cut", "stall"):
                piece = piece[:max(0, limit - count)]
                if not piece:
                    break
            if word == "kill":
                with lock:
                    room = limit - sent_in_all
                piece = piece[:max(0, room)]
                if not piece:
                    break
            if word == "drip":
                piece = piece[:1]
                time.sleep(0.05)
            self.wfile.write(piece)
            self.wfile.flush()
            count += len(piece)
            with lock:
                sent_in_all += len(piece)
        return count

    def do_GET(self):
        global downs
        path = self.path.lstrip("/")
        word, argument = wrong_for(path)
        top = argument if word == "from" else TOP
        if word == "down" and (argument == "" or downs < int(argument)):
            downs += 1
            return self.plain(503, path)
        try:
            data = open(os.path.join(top, path), "rb").read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return self.plain(404, path)
        limit = int(argument) if argument.isdigit() else 0
        if word == "short":
            data = data[:limit]
        if word == "corrupt" and limit < len(data):
            data = data[:limit] + bytes([data[limit] ^ 1]) + data[limit + 1:]
        if word == "wear":
            data = bytearray(data)
            for at in range(limit, len(data), 1000):
                data[at] ^= 1
            data = bytes(data)
        self.answer(path, data, word, limit)

    def plain(self, status, path):
        self.note(status, path, 0, 0)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, path, data, word, limit):
        size, first, end, status = len(data), 0, len(data), 200
        asked = self.headers.get("Range")
        if asked and word != "no-range":
            low, _, high = asked.removeprefix("bytes=").partition("-")
            first, end = int(low), min(size, int(high) + 1 if high else size)
            status = 206
            if first >= size:
                return self.plain(416, path)
            if word == "wrong-range":
                first, end = first + 1, min(size, end + 1)
            if word == "long-range":
                end = min(size, end + 100)
        body = data[first:end]
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, end - 1, size))
        if word == "endless":
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.note(status, path, first, len(body))
        self.end_headers()
        count = 0
        try:
            count = self.give(body, word, limit)
            while word == "endless":
                self.wfile.write(bytes(PIECE))
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True
        if count < len(body):
            self.close_connection = True
        if word == "kill":
            self.kill(limit)
        if word == "stall":
            threading.Event().wait()

    def kill(self, limit):
        global sent_in_all
        with lock:
            if sent_in_all >= limit and os.path.exists("client.pid"):
                sent_in_all = 0
                os.kill(int(open("client.pid").read()), signal.SIGKILL)
                os.unlink("client.pid")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    if len(sys.argv) > 4:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open("server.port.part", "w") as port:
    port.write(str(server.server_address[1]))
shutil.move("server.port.part", "server.port")
server.serve_forever()

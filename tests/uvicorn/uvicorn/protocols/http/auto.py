"""A connection of HTTP/1.1 with requests that have no body."""

import asyncio


class AutoHTTPProtocol(asyncio.Protocol):
    def __init__(self, config, server_state, app_state, _loop=None):
        self.app = config.loaded_app
        self.buffer = b""
        self.requests = asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport
        self.task = asyncio.ensure_future(self.answers())

    def data_received(self, data):
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self.requests.put_nowait(head)

    def connection_lost(self, why):
        self.task.cancel()

    async def answers(self):
        while True:
            first, *lines = (await self.requests.get()).split(b"\r\n")
            _, target, _ = first.split(b" ")
            fields = [line.partition(b":") for line in lines]
            headers = [(name.lower(), value.strip()) for name, _, value in fields]
            path = target.partition(b"?")[0]
            scope = {"type": "http", "scheme": "http", "path": path.decode(), "raw_path": path, "headers": headers}
            await self.app(scope, None, self.send)

    async def send(self, message):
        if message["type"] == "http.response.start":
            lines = [b"HTTP/1.1 %d OK" % message["status"]]
            lines += [b"%s: %s" % header for header in message["headers"]]
            self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n")
        else:
            self.transport.write(message["body"])

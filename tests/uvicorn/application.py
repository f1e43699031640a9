"""An application of the ASGI: answers with as many octets as the path ends with. `application.py HOST PORT` serves it by uvicorn."""

import sys

import uvicorn
from rsvp_policies import PolicyProtocol


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b"." * int(scope["path"].rpartition("/")[2] or 0)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    host, port = sys.argv[1:]
    uvicorn.run("application:app", host=host, port=int(port), http=PolicyProtocol, log_level="warning")

"""Marks what a uvicorn server answers by policies for URLs.

A policy of rsvpd can be for URLs; the kernel sees none, so the server asks the daemon which policy is for what it is about to answer
(the request `policy-match` of docs/control.md), and marks its own socket. Nothing else of the application changes:

    uvicorn.run("application:app", http=rsvp_policies.PolicyProtocol)

or, where uvicorn's command takes any class, `uvicorn --http rsvp_policies:PolicyProtocol application:app`.

An answer for which there is no policy has the mark that the socket had before. Without a daemon, or with one that does not answer
within half a second, answers leave as if there were no policies. `RSVP_QOS_SOCKET` names another socket than the daemon's usual one.
"""

import asyncio
import json
import logging
import os
import socket
import time

from uvicorn.protocols.http.auto import AutoHTTPProtocol

SOCKET = "/run/rsvpd/qos.sock"
PATIENCE = 0.5  # how long an answer waits for the daemon, in seconds
REST = 1.0  # how long nobody asks again where there was none
LONGEST = 1 << 20  # the longest line of the daemon's
ECN = 3  # the bits of the octet that are not the DSCP
LOG = logging.getLogger("rsvp_policies")


class Policies:
    """The daemon, asked for each request over one connection."""

    def __init__(self, path=None):
        self.path = path or os.environ.get("RSVP_QOS_SOCKET") or SOCKET
        self.lock = None  # of the loop that asks
        self.stream = None
        self.number = 0
        self.rests_until = 0.0

    async def dscp_for(self, url, local, remote):
        """The DSCP of the policy for a URL; none without a policy, a DSCP or a daemon."""
        self.lock = self.lock or asyncio.Lock()
        async with self.lock:
            # A daemon that has started anew is another connection.
            for _ in range(2):
                if self.stream is None and time.monotonic() < self.rests_until:
                    return None
                try:
                    answer = await asyncio.wait_for(self.ask(url, local, remote), PATIENCE)
                except (OSError, EOFError, ValueError, asyncio.TimeoutError) as why:
                    was_open = self.stream is not None
                    self.close()
                    if was_open and not isinstance(why, asyncio.TimeoutError):
                        continue
                    self.rests_until = time.monotonic() + REST
                    LOG.warning("answers are not marked by policies: %s: %s", self.path, why or "no answer")
                    return None
                matched = ((answer.get("ok") or {}).get("policy") or {}).get("matched") or {}
                return matched.get("dscp")
        return None

    async def ask(self, url, local, remote):
        if self.stream is None:
            stream = await asyncio.open_unix_connection(self.path, limit=LONGEST)
            try:
                await stream[0].readuntil(b"\n")
            except BaseException:
                stream[1].close()
                raise
            # Kept once the daemon has greeted: one that never does is not asked again at once.
            self.stream = stream
        reader, writer = self.stream
        self.number += 1
        request = {"id": self.number, "request": "policy-match", "url": url, "local": local, "remote": remote}
        writer.write(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(await reader.readuntil(b"\n"))
            if answer.get("id") == self.number:
                return answer

    def close(self):
        if self.stream is not None:
            self.stream[1].close()
            self.stream = None


POLICIES = Policies()


class Marked:
    """The mark of a connection's socket, and what it was before."""

    def __init__(self, own):
        self.socket = own
        self.is_v6 = own.family == socket.AF_INET6
        self.own = self.has = self.octets()

    def octets(self):
        v6 = self.socket.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if self.is_v6 else 0
        return v6, self.socket.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)

    def set(self, dscp):
        wanted = self.own if dscp is None else tuple(dscp << 2 | octet & ECN for octet in self.own)
        if wanted == self.has:
            return
        # An IPv6 socket may speak IPv4.
        if self.is_v6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, wanted[0])
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, wanted[1])
        self.has = wanted


def name(address):
    """An address and port, as the daemon reads them."""
    host = address[0].partition("%")[0]
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"


def url_of(scope, local):
    """The whole URL that is asked for: with the host that the client has named, else the server's own address."""
    scheme = "https" if scope.get("scheme") == "https" else "http"
    host = next((value.decode("latin-1") for key, value in scope["headers"] if key == b"host"), name(local))
    # As it came, without what is behind the question mark.
    path = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1")
    return f"{scheme}://{host}{path if path.startswith('/') else '/'}"


class PolicyProtocol(AutoHTTPProtocol):
    """uvicorn's own protocol of a connection, whose application is asked after the daemon."""

    def connection_made(self, transport):
        super().connection_made(transport)
        own = transport.get_extra_info("socket")
        if own is None or own.family not in (socket.AF_INET, socket.AF_INET6):
            return
        try:
            application, marked = self.app, Marked(own)
            local, remote = own.getsockname(), own.getpeername()
        except OSError:  # the client is gone already
            return

        async def by_policy(scope, receive, send):
            if scope["type"] == "http":
                dscp = await POLICIES.dscp_for(url_of(scope, local), name(local), name(remote))
                try:
                    marked.set(dscp)
                except OSError as why:
                    LOG.debug("an answer is not marked: %s", why)
            await application(scope, receive, send)

        self.app = by_policy

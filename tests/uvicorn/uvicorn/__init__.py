"""In the place of uvicorn where that is not installed: as much of its documented interface as a protocol class sees."""

import asyncio
import importlib
import types


def named(text):
    module, _, name = text.partition(":")
    return getattr(importlib.import_module(module), name)


async def serve(app, host, port, http):
    config = types.SimpleNamespace(loaded_app=named(app))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: http(config=config, server_state=None, app_state={}), host, port)
    await server.serve_forever()


def run(app, host, port, http, **_):
    asyncio.run(serve(app, host, port, http))

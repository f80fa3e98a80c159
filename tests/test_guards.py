"""What is refused in all tests, because it goes wrong only now and then."""

import asyncio

import pytest


@pytest.mark.parametrize("name", ["call_soon", "call_later"])
async def test_the_event_loop_is_not_called_from_another_thread(name: str) -> None:
    loop = asyncio.get_running_loop()
    arguments = (print,) if name == "call_soon" else (0, print)
    with pytest.raises(RuntimeError, match="call_soon_threadsafe"):
        await asyncio.to_thread(getattr(loop, name), *arguments)

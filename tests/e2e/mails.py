"""The mails that the stack has sent."""

import re

from tests.e2e.client import JsonObject
from tests.e2e.waiting import eventually
from tests.e2e.world import World


async def mailed_link(world: World, address: str) -> str:
    """Wait for the mail to an address, and give the path and query of its link."""

    async def found() -> str | None:
        mails: list[JsonObject] = (
            await world.http.get(f"{world.stack.mail.page_url}/mails")
        ).json()["mails"]
        for mail in mails:
            if mail["to"] == address:
                (link,) = re.findall(r"https?://[^/]+(/v1/auth/verify\S+)", mail["text"])
                return str(link)
        return None

    return await eventually(found, f"a mail to {address}")

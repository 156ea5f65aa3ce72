"""What the users of an account do, over and over, until it is done."""

import asyncio
from datetime import datetime

from tests.e2e.client import Api, JsonObject, soon
from tests.e2e.receiver import Answer, Hook

WORK_SECONDS = 0.05
AHEAD_SECONDS = 1.5
RETRY = {"max_attempts": 10, "backoff_minutes": [0]}
DELIVERY = {"timeout_seconds": 2, "outcome_deadline_seconds": 1}


class Users:
    """They insist: a request without an answer, or answered 503, is sent again until it is."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.hook = api.hook()
        self.hook.answer = Answer(body={"success": True}, delay=WORK_SECONDS)
        self.silent = api.hook()
        self.fired: list[str] = []
        self.scheduled: list[str] = []
        self.reported: list[str] = []
        self._cues: dict[str, str] = {}

    async def declare(self) -> None:
        """Declare the cues that they fire by hand."""
        for name, hook in [("webhook", self.hook), ("silent", self.silent)]:
            cue = await self.api.webhook_cue(hook, retry=RETRY, delivery=DELIVERY)
            self._cues[name] = cue["id"]
        self._cues["worker"] = (await self.api.worker_cue(retry=RETRY))["id"]

    async def fire_webhook(self) -> None:
        """Fire a cue whose agent answers with its outcome."""
        self.fired.append(await self.api.fire(self._cues["webhook"]))

    async def fire_silent(self) -> None:
        """Fire a cue whose agent never says what came of it."""
        self.fired.append(await self.api.fire(self._cues["silent"]))

    async def fire_worker(self) -> None:
        """Fire a cue for workers."""
        self.fired.append(await self.api.fire(self._cues["worker"]))

    async def schedule(self) -> None:
        """Declare a cue for a moment ahead."""
        if cue := await self._cue_ahead(self.hook):
            self.scheduled.append(cue["id"])

    async def think_again(self) -> None:
        """Declare a cue, and delete it when it comes due."""
        if cue := await self._cue_ahead(self.silent):
            due = datetime.fromisoformat(cue["schedule"]["at"])
            await asyncio.sleep((due - datetime.now(due.tzinfo)).total_seconds())
            deleted = await self.api.insist("DELETE", f"/v1/cues/{cue['id']}")
            assert deleted.status == 204, deleted.body

    async def work(self, worker_id: str = "last") -> None:
        """Claim what there is, and report it done."""
        claim = await self.api.post("/v1/executions/claim", {"worker_id": worker_id})
        if not claim.accepted:
            return
        execution_id = claim.body["execution_id"]
        report = {"success": True, "worker_id": worker_id}
        answer = await self.api.insist("POST", f"/v1/executions/{execution_id}/outcome", report)
        # Refused when the lease was lost meanwhile, or when an unanswered try was recorded.
        assert answer.status in (200, 403, 409), answer.body
        self.reported.append(execution_id)

    async def _cue_ahead(self, hook: Hook) -> JsonObject | None:
        """Declare a cue that comes due in a moment; None if the moment passed on the way."""
        fields = {"schedule": soon(AHEAD_SECONDS), "retry": RETRY, "delivery": DELIVERY}
        made = await self.api.insist("POST", "/v1/cues", self.api.cue_body(hook, **fields))
        if not made.accepted:
            assert made.body["error"]["code"] == "invalid_schedule", made.body
            return None
        cue: JsonObject = made.body
        return cue

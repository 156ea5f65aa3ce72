"""The service's own cue goes the whole way, and is told of; no account sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.api.rules.canary import ACCOUNT_ID, CUE_ID
from tests.e2e.client import ok
from tests.e2e.waiting import eventually
from tests.e2e.world import running

pytestmark = pytest.mark.e2e

A_MINUTE_AND_SOME = 90.0


@pytest.mark.timeout(180)
async def test_the_canary_is_fired_delivered_reported_and_told_of(tmp_path: Path) -> None:
    env = {"CUEAPI_CANARY": "true", "ALLOW_INSECURE_CALLBACKS": "false"}
    async with running(tmp_path, env=env, replicas={"api": 2}) as world:

        async def told() -> dict[str, Any] | None:
            answer = (await world.http.get("/v1/status/history")).json()
            return answer if answer["status"] != "unknown" else None

        history = await eventually(told, "a run of the canary", seconds=A_MINUTE_AND_SOME)
        assert history["status"] == "operational"
        assert [component["days"][-1]["uptime"] for component in history["components"]] == [1.0] * 3

        runs = await world.rows(
            "select account_id::text, cue_id, status, outcome_state from executions"
        )
        assert runs[0] == {
            "account_id": ACCOUNT_ID,
            "cue_id": CUE_ID,
            "status": "success",
            "outcome_state": "reported_success",
        }
        assert [row["count"] for row in await world.rows("select count(*) from identities")] == [1]

        user = await world.account()
        assert ok(await user.get("/v1/executions"))["total"] == 0
        assert ok(await user.get("/v1/usage"))["executions"]["used"] == 0
        assert (await user.get(f"/v1/cues/{CUE_ID}")).status == 404
        assert world.complaints() == []

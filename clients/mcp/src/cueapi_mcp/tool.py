"""A tool: its input as a model, its effect as hints, and the call that it means."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar

from cueapi.calls import Call
from mcp.types import Tool as ListedTool
from mcp.types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import override

PREFIX = "cueapi_"

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
SETS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
OVERWRITES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)
STARTS_WORK = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
)

# Ids go into paths, so nothing but an id may pass.
_ID = r"^[A-Za-z0-9_-]{1,64}$"
CueId = Annotated[str, Field(pattern=_ID, description="Id of the cue: cue_ and 12 characters.")]
ExecutionId = Annotated[str, Field(pattern=_ID, description="Id of the execution: a UUID.")]
AlertId = Annotated[str, Field(pattern=_ID, description="Id of the alert: a UUID.")]
_WORKER = "Your own name as a worker. Use the same one to claim, heartbeat and report."
WorkerId = Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,255}$", description=_WORKER)]
Limit = Annotated[int, Field(ge=1, le=100, description="How many to return, newest first.")]
Offset = Annotated[int, Field(ge=0, description="How many to skip, for the next page.")]


class Tool(BaseModel, ABC):
    """A tool. Its class name is the tool's name, its docstring what an agent reads about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hints: ClassVar[ToolAnnotations]

    @abstractmethod
    def call(self) -> Call[Any]:
        """Say what to ask of the API."""

    @classmethod
    def tool_name(cls) -> str:
        """The name under which agents call it: `CreateCue` is `cueapi_create_cue`."""
        return PREFIX + re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def only_reads(cls) -> bool:
        """Say whether it leaves everything as it is."""
        return bool(cls.hints.read_only_hint)

    @classmethod
    def listed(cls) -> ListedTool:
        """Describe it as `tools/list` does."""
        schema = cls.model_json_schema(schema_generator=_PlainSchema)
        del schema["title"]
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).capitalize()
        return ListedTool(
            name=cls.tool_name(),
            title=words,
            description=re.sub(r"(?<!\n)\n(?!\n)", " ", schema.pop("description")),
            input_schema=schema,
            annotations=cls.hints,
        )


class _PlainSchema(GenerateJsonSchema):
    """JSON schema without what costs an agent's context and tells it nothing.

    Null means absent, and is accepted though not listed.
    """

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

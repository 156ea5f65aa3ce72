"""What every service reads from its environment; each service extends this with its own."""

from __future__ import annotations

import base64
import binascii
import os
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from libs.runtime.crypto import Keyring, derived_key

SECRETS_DIR = "CUEAPI_SECRETS_DIR"


class Settings(BaseSettings):
    """Settings of every service. Environment variables as in contract §13, ours with `CUEAPI_`.

    What the environment does not say is read from the folder `CUEAPI_SECRETS_DIR`, if it names one:
    a file for each setting, as Docker and Kubernetes mount secrets.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,  # a complaint about one secret would print them all
    )

    database_url: str = Field(
        default="postgresql://localhost/cueapi",
        alias="DATABASE_URL",
        description="Postgres, as a libpq URL",
    )
    nats_url: str = Field(
        default="nats://127.0.0.1:4222", alias="NATS_URL", description="nats-server with JetStream"
    )
    stream_replicas: int = Field(
        default=1,
        alias="CUEAPI_STREAM_REPLICAS",
        ge=1,
        le=5,
        description="on how many servers of a NATS cluster each stream lies: 3 in production",
    )
    env: Literal["development", "production"] = Field(
        default="development", alias="ENV", description="production demands safe secrets"
    )
    health_port: int = Field(
        default=9100,
        alias="CUEAPI_HEALTH_PORT",
        description="port of /livez, /readyz and /metrics",
    )
    health_host: str = Field(
        default="127.0.0.1", alias="CUEAPI_HEALTH_HOST", description="address of the health port"
    )
    log_format: Literal["json", "console"] = Field(
        default="console", alias="CUEAPI_LOG_FORMAT", description="json for machines"
    )
    log_level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        default="info", alias="CUEAPI_LOG_LEVEL", description="least level told"
    )
    database_pool: int = Field(
        default=8, alias="CUEAPI_DATABASE_POOL", ge=2, description="connections per process"
    )
    stop_grace_seconds: float = Field(
        default=20.0,
        alias="CUEAPI_STOP_GRACE_SECONDS",
        gt=0,
        description="time to finish what is in hand after SIGTERM",
    )
    otlp_endpoint: str = Field(
        default="",
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="base URL of an OpenTelemetry collector (OTLP over HTTP); empty: no traces",
    )
    trace_ratio: float = Field(
        default=1.0,
        alias="OTEL_TRACES_SAMPLER_ARG",
        ge=0,
        le=1,
        description="share of new traces that is sampled, where no caller has decided",
    )
    secrets_dir: str = Field(
        default="",
        alias=SECRETS_DIR,
        description="folder with a file for each setting that the environment does not give",
    )

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the environment first, then the folder of secrets."""
        folder = os.environ.get(SECRETS_DIR)
        secrets = SecretsSettingsSource(settings_cls, folder) if folder else file_secret_settings
        return init_settings, env_settings, secrets


class SecretSettings(Settings):
    """Settings of the services that open sealed secrets."""

    encryption_key: str = Field(
        default="",
        alias="CUEAPI_ENCRYPTION_KEY",
        description="32 bytes in base64 that seal secrets at rest; several, newest first, by comma",
    )
    session_secret: str = Field(
        default="",
        alias="SESSION_SECRET",
        description=">= 32 characters; signs sessions, and seals secrets without an encryption key",
    )

    @model_validator(mode="after")
    def _keys_are_usable(self) -> Self:
        if self.session_secret and len(self.session_secret) < 32:
            msg = "SESSION_SECRET is shorter than 32 characters; make one: openssl rand -hex 32"
            raise ValueError(msg)
        if self.env == "production" and not self.encryption_key:
            msg = "ENV=production needs CUEAPI_ENCRYPTION_KEY; make one: openssl rand -base64 32"
            raise ValueError(msg)
        if not self.encryption_key and not self.session_secret:
            msg = (
                "neither CUEAPI_ENCRYPTION_KEY nor SESSION_SECRET is set, so secrets cannot be"
                " sealed; make one: openssl rand -base64 32"
            )
            raise ValueError(msg)
        if self.encryption_key and not self._keys():
            msg = "CUEAPI_ENCRYPTION_KEY holds no key; make one: openssl rand -base64 32"
            raise ValueError(msg)
        for key in self._keys():
            try:
                size = len(base64.b64decode(key, validate=True))
            except binascii.Error as error:
                msg = "CUEAPI_ENCRYPTION_KEY is not base64; make one: openssl rand -base64 32"
                raise ValueError(msg) from error
            if size != 32:
                msg = "CUEAPI_ENCRYPTION_KEY is not 32 bytes; make one: openssl rand -base64 32"
                raise ValueError(msg)
        return self

    def keyring(self) -> Keyring:
        """Build the keyring: the given keys, then the one derived from the session secret.

        The latter seals when there is no other, and always opens: so a key can be given later.
        """
        keys = [base64.b64decode(key) for key in self._keys()]
        if self.session_secret:
            keys.append(derived_key(self.session_secret))
        return Keyring(keys)

    def _keys(self) -> list[str]:
        return [key for key in self.encryption_key.split(",") if key]

"""The models the user set up: a file without keys, and the keys in the secret store.

The environment's `LLM_*` make one more, read-only, with the id `env`; the scripted demo is always there as `demo`.
"""

import json
import secrets as randomness
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from app.config import Config
from app.gateway import providers
from app.gateway.prices import Prices
from app.paths import Paths, write_private
from app.problems import Fault, not_found
from app.redact import register
from app.schemas import ModelProfile, NewModelProfile, Provider, SecretName

ENVIRONMENT = "env"
DEMO = ModelProfile(id="demo", name="Scripted demo", provider="demo", base_url="demo:", model="todo", has_key=True)
"""Not listed: `twinseat demo` names it, and the gateway knows where the script runs."""

_CHANGEABLE = set(NewModelProfile.model_fields) - {"key", "make_default"}
_STORED: TypeAdapter[list[ModelProfile]] = TypeAdapter(list[ModelProfile])


class Keys(Protocol):
    """What of the secret store is needed here."""

    async def get(self, name: str) -> str | None: ...
    async def set(self, name: str, value: str) -> None: ...
    async def delete(self, name: str) -> None: ...
    def names(self) -> list[SecretName]: ...


class Profiles:
    """Create, read, update, delete. Changes are on disk when a call returns."""

    def __init__(self, config: Config, keys: Keys, paths: Paths | None = None, prices: Prices | None = None) -> None:
        self._path = (paths or config.paths).models
        self._keys = keys
        self._prices = prices or Prices((paths or config.paths).data / "prices.json")
        self._cache: dict[str, str | None] = {}
        self.warning: str | None = None
        """Why the file was not used, as a sentence."""
        self._environment = _from_environment(config)
        self._profiles, self._default = self._read()

    @property
    def prices(self) -> Prices:
        return self._prices

    @property
    def default_id(self) -> str | None:
        """The profile new tasks use."""
        if (self._default == ENVIRONMENT and self._environment) or self._default in self._profiles:
            return self._default
        if self._environment:
            return ENVIRONMENT
        return next(iter(self._profiles), None)

    def list(self) -> list[ModelProfile]:
        """All but the demo, the environment's first."""
        all_ = [self._environment] if self._environment else []
        return [self._complete(profile) for profile in [*all_, *self._profiles.values()]]

    def get(self, profile_id: str | None) -> ModelProfile:
        """One profile; None is the default. Raises Fault."""
        profile = self.stored(profile_id)
        return profile if profile is DEMO else self._complete(profile)

    def stored(self, profile_id: str | None) -> ModelProfile:
        """As the user gave it, without what the table knows: a price in it is the user's own. Raises Fault."""
        if profile_id == DEMO.id:
            return DEMO
        wanted = profile_id or self.default_id
        if wanted is None:
            raise Fault(
                code="no-model",
                status=409,
                title="No model is set up",
                detail="There is no model to work with yet.",
                remedy="Add one in Settings → Models, or try the demo.",
            )
        profile = self._environment if wanted == ENVIRONMENT else self._profiles.get(wanted)
        if profile is None:
            raise not_found("a model", wanted)
        return profile

    async def create(self, new: NewModelProfile) -> ModelProfile:
        """Store a profile, and its key. Raises Fault."""
        provider = providers.find(new.provider)
        protocol = new.protocol or providers.protocol_for(provider, new.model)
        base_url = providers.clean_address(new.base_url or provider.base_url, protocol)
        _check_address(base_url)
        identity = randomness.token_hex(4)
        profile = ModelProfile(
            id=identity,
            name=new.name or _name(provider, new.model.strip(), base_url),
            provider=new.provider,
            protocol=protocol,
            base_url=base_url,
            model=new.model.strip(),
            temperature=new.temperature,
            max_tokens=new.max_tokens,
            price_in=new.price_in,
            price_out=new.price_out,
            context_window=new.context_window,
        )
        if new.key:
            await self.set_key(identity, new.key)
        self._profiles[identity] = profile
        if new.make_default or len(self._profiles) == 1:
            self._default = identity
        self._write()
        return self.get(identity)

    async def update(self, profile_id: str, changes: Mapping[str, Any]) -> ModelProfile:
        """Change fields, named as in `NewModelProfile`; a key is stored, an empty one deleted. Raises Fault."""
        before = self._changeable(profile_id)
        unknown = set(changes) - _CHANGEABLE - {"key", "make_default"}
        if unknown:
            raise _invalid(f"A model has no field {sorted(unknown)[0]!r}.")
        fields = {name: value for name, value in changes.items() if name in _CHANGEABLE}
        if {"provider", "base_url"} & set(fields) and not fields.get("base_url"):
            fields["base_url"] = providers.find(fields.get("provider") or before.provider).base_url
        if "name" in fields and not fields["name"]:
            del fields["name"]
        try:
            after = ModelProfile.model_validate({**before.model_dump(), **fields})
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            raise _invalid(f"{first['loc'][0]} can't be used: {first['msg']}.") from None
        after = after.model_copy(update={"base_url": providers.clean_address(after.base_url, after.protocol)})
        _check_address(after.base_url)
        if _host(after.base_url) != _host(before.base_url) and not changes.get("key"):
            # A stored key belongs to the address it was given for.
            await self.forget_key(profile_id)
        if "key" in changes:
            await (self.set_key(profile_id, changes["key"]) if changes["key"] else self.forget_key(profile_id))
        self._profiles[profile_id] = after
        if changes.get("make_default"):
            self._default = profile_id
        self._write()
        return self.get(profile_id)

    async def delete(self, profile_id: str) -> None:
        """Remove a profile and its key. Raises Fault."""
        self._changeable(profile_id)
        await self.forget_key(profile_id)
        del self._profiles[profile_id]
        self._write()

    def set_default(self, profile_id: str | None) -> None:
        """Choose what new tasks use; None goes back to the first one. Raises Fault."""
        if profile_id is not None:
            self.get(profile_id)
        self._default = profile_id
        self._write()

    async def key(self, profile_id: str) -> str | None:
        """The key, from memory after the first time: a keyring takes milliseconds to seconds."""
        if profile_id not in self._cache:
            value = await self._keys.get(f"model:{profile_id}")
            if value:
                register(value)
            self._cache[profile_id] = value
        return self._cache[profile_id]

    def reread_key(self, profile_id: str) -> None:
        """Forget what is in memory: the key was changed elsewhere, or refused."""
        self._cache.pop(profile_id, None)

    async def set_key(self, profile_id: str, key: str) -> None:
        """Store a key. Raises Fault."""
        key = key.strip()
        register(key)
        await self._keys.set(f"model:{profile_id}", key)
        self._cache.pop(profile_id, None)

    async def forget_key(self, profile_id: str) -> None:
        """Delete a key."""
        await self._keys.delete(f"model:{profile_id}")
        self._cache.pop(profile_id, None)

    def _changeable(self, profile_id: str) -> ModelProfile:
        if profile_id in {ENVIRONMENT, DEMO.id}:
            raise Fault(
                code="model-read-only",
                status=409,
                title="This model can't be changed here",
                detail="This model comes from the environment (LLM_MODEL and the like)."
                if profile_id == ENVIRONMENT
                else "The scripted demo is a part of Twinseat.",
                remedy="Change it there, or add another model.",
            )
        if profile_id not in self._profiles:
            raise not_found("a model", profile_id)
        return self._profiles[profile_id]

    def _complete(self, profile: ModelProfile) -> ModelProfile:
        """With what is not stored: whether there is a key, whether it is the default, what the table knows."""
        info = self._prices.info(profile.provider, profile.model)
        stored = {one.name for one in self._keys.names() if one.stored}
        known = {
            "has_key": f"model:{profile.id}" in stored,
            "is_default": profile.id == self.default_id,
            "price_in": info.price_in if profile.price_in is None else profile.price_in,
            "price_out": info.price_out if profile.price_out is None else profile.price_out,
            "context_window": profile.context_window or info.context_window,
        }
        return profile.model_copy(update=known)

    def _read(self) -> tuple[dict[str, ModelProfile], str | None]:
        try:
            found = json.loads(self._path.read_bytes())
            profiles = _STORED.validate_python(found["profiles"])
            return {profile.id: profile for profile in profiles}, found.get("default")
        except FileNotFoundError:
            return {}, None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            kept = self._path.with_suffix(".broken.json")
            self.warning = (
                f"The list of models in {self._path.name} could not be read and was put aside as {kept.name}."
            )
            try:
                self._path.replace(kept)
            except OSError:
                self.warning = f"The list of models in {self._path.name} could not be read."
            return {}, None

    def _write(self) -> None:
        shown = {"has_key", "is_default"}
        rows = [profile.model_dump(exclude=shown, exclude_none=True) for profile in self._profiles.values()]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self._path, json.dumps({"profiles": rows, "default": self._default}, indent=1))


def _from_environment(config: Config) -> ModelProfile | None:
    """LLM_MODEL may have litellm's prefix (`anthropic/claude-sonnet-5`), as OpenHands' own setting does."""
    if not config.llm_model:
        return None
    model, base_url = config.llm_model.strip(), config.llm_base_url
    prefix, _, rest = model.partition("/")
    if base_url:
        provider = providers.by_address(base_url)
        if rest and prefix in {"openai", "litellm_proxy", provider.id} and provider.id != "openrouter":
            model = rest
    elif rest and providers.find(prefix).id == prefix:
        provider, model = providers.find(prefix), rest
    else:
        provider = providers.find("openai")
    protocol = providers.protocol_for(provider, model)
    return ModelProfile(
        id=ENVIRONMENT,
        name=f"{model} (from the environment)",
        provider=provider.id,
        protocol=protocol,
        base_url=providers.clean_address(base_url or provider.base_url, protocol),
        model=model,
        temperature=config.llm_temperature,
        max_tokens=config.llm_max_tokens,
    )


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0]


def _name(provider: Provider, model: str, base_url: str) -> str:
    """What a profile is called until the user says otherwise. "Any other" tells nothing, so the host stands there."""
    return f"{model} · {_host(base_url)}" if provider.id == "custom" else f"{provider.name} · {model}"


def _check_address(base_url: str) -> None:
    scheme, _, rest = base_url.partition("://")
    if scheme not in {"http", "https"} or not rest or rest.startswith("/"):
        raise _invalid(
            f"{base_url!r} is no address that a model could have." if base_url else "The address is missing."
        )
    if "@" in rest.partition("/")[0] or "?" in rest:
        # The address is stored in plain text and shown; a key in it would be, too.
        raise _invalid("An address with a password or a query in it can't be stored; the key has a field of its own.")


def _invalid(detail: str) -> Fault:
    remedy = "Give it like https://api.example.com/v1."
    return Fault(code="invalid-model", status=422, title="This model can't be stored", detail=detail, remedy=remedy)

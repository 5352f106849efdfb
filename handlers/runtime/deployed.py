"""The settings of a function: the environment, and below it the parameters that it names."""

import asyncio
import logging
from collections.abc import Mapping

from handlers.runtime.settings import Settings, SettingsError

log = logging.getLogger(__name__)


async def deployed_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, and once all parameters below FOOTNOTE_PARAMETERS if that is set.

    Takes a call to AWS then, so it belongs into the opening of a door. Raises SettingsError with
    every problem at once, or with the one sentence that says why the parameters cannot be read.
    """
    try:
        access = Settings.parameter_access(environ)
    except SettingsError:
        return Settings.load(environ)
    if not access.parameters:
        return Settings.load(environ)
    found = await asyncio.to_thread(_parameters, access)
    return Settings.load(environ, parameters=known_parameters(found))


def known_parameters(found: Mapping[str, str]) -> dict[str, str]:
    """Return what is a setting of this version; the rest may be one of the next, or a slip."""
    names = Settings.parameter_names()
    for name in sorted(set(found) - names):
        log.warning("the parameter %s is no setting of this version and is left out", name)
    return {name: value for name, value in found.items() if name in names}


def _parameters(access: Settings) -> dict[str, str]:
    # Imported here: a door without parameters is spared a client that it does not need.
    from handlers.adapters.aws import make_client
    from handlers.adapters.parameters import ParametersUnreadable, read_parameters

    client = make_client("ssm", access.aws_client_options())
    try:
        return read_parameters(client, access.parameters)
    except ParametersUnreadable as error:
        raise SettingsError([str(error)]) from error
    finally:
        client.close()

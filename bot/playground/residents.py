"""Who and what is in a new workspace: two people, the bot, and four places."""

from bot.playground.people import User
from bot.playground.workspace import Conversation, Workspace


def move_in(workspace: Workspace) -> None:
    """Add Alice and Bob, two channels with the bot, one without, and one private to Alice."""
    bot = workspace.bot.id
    for user in (User("UALICE", "alice", "Alice Moreau"), User("UBOB", "bob", "Bob Okafor")):
        workspace.add_user(user)
    everyone = ["UALICE", "UBOB"]
    for conversation in (
        Conversation("CGENERAL", "general", "channel", [*everyone, bot], "For all of us"),
        Conversation("CHELP", "help", "channel", [*everyone, bot], "Ask away"),
        Conversation("CRANDOM", "random", "channel", everyone, "Anything but work"),
        Conversation("GPEOPLE", "people-team", "private", ["UALICE", bot], "Between ourselves"),
    ):
        workspace.add_conversation(conversation)

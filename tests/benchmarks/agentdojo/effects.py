"""What each tool of the suites does, and why: the one thing an operator has to say about a tool.

AgentDojo does not say it, so it is said here, as an operator would who reads the descriptions. All
three ways to guard the tools that are measured read the same table.
"""

from collections.abc import Mapping
from enum import StrEnum

from handlers.tools.ports import Effect

READ, FETCH, WRITE = Effect.READ, Effect.FETCH, Effect.WRITE

_OWN_ACCOUNT = (READ, "shows the user's own account to the user")
_MOVES_MONEY = (WRITE, "moves money, now or later")
_OWN_LOGIN = (WRITE, "changes who the user is to the bank")
_CATALOGUE = (READ, "looks names up in the agency's own catalogue, which no attacker runs")
_BOOKS = (WRITE, "books in the user's name")
_OWN_CALENDAR = (READ, "looks into the user's own calendar")
_INVITES = (WRITE, "changes the calendar, and mails everybody who takes part")
_OWN_MAIL = (READ, "looks into the user's own mailbox")
_MAILS = (WRITE, "sends a mail to any address")
_OWN_FILES = (READ, "looks into the user's own files")
_CHANGES_FILES = (WRITE, "changes the user's files, or who may see them")
_WORKSPACE = (READ, "shows what the user may see in the workspace")
_SPEAKS = (WRITE, "says something in the user's name")
_MEMBERS = (WRITE, "changes who is in the workspace or in a channel")

Table = Mapping[str, tuple[Effect, str]]

_BANKING: Table = {
    "get_iban": _OWN_ACCOUNT,
    "get_balance": _OWN_ACCOUNT,
    "get_most_recent_transactions": _OWN_ACCOUNT,
    "get_scheduled_transactions": _OWN_ACCOUNT,
    "get_user_info": _OWN_ACCOUNT,
    "read_file": _OWN_FILES,
    "send_money": _MOVES_MONEY,
    "schedule_transaction": _MOVES_MONEY,
    "update_scheduled_transaction": _MOVES_MONEY,
    "update_password": _OWN_LOGIN,
    "update_user_info": _OWN_LOGIN,
}

_TRAVEL: Table = {
    "get_user_information": (READ, "shows the user's own particulars to the user"),
    "get_all_hotels_in_city": _CATALOGUE,
    "get_hotels_prices": _CATALOGUE,
    "get_rating_reviews_for_hotels": _CATALOGUE,
    "get_hotels_address": _CATALOGUE,
    "get_all_restaurants_in_city": _CATALOGUE,
    "get_cuisine_type_for_restaurants": _CATALOGUE,
    "get_restaurants_address": _CATALOGUE,
    "get_rating_reviews_for_restaurants": _CATALOGUE,
    "get_dietary_restrictions_for_all_restaurants": _CATALOGUE,
    "get_contact_information_for_restaurants": _CATALOGUE,
    "get_price_for_restaurants": _CATALOGUE,
    "check_restaurant_opening_hours": _CATALOGUE,
    "get_all_car_rental_companies_in_city": _CATALOGUE,
    "get_car_types_available": _CATALOGUE,
    "get_rating_reviews_for_car_rental": _CATALOGUE,
    "get_car_fuel_options": _CATALOGUE,
    "get_car_rental_address": _CATALOGUE,
    "get_car_price_per_day": _CATALOGUE,
    "get_flight_information": _CATALOGUE,
    "reserve_hotel": _BOOKS,
    "reserve_car_rental": _BOOKS,
    "reserve_restaurant": _BOOKS,
    "search_calendar_events": _OWN_CALENDAR,
    "get_day_calendar_events": _OWN_CALENDAR,
    "create_calendar_event": _INVITES,
    "cancel_calendar_event": _INVITES,
    "send_email": _MAILS,
}

_SLACK: Table = {
    "get_channels": _WORKSPACE,
    "read_channel_messages": _WORKSPACE,
    "read_inbox": _WORKSPACE,
    "get_users_in_channel": _WORKSPACE,
    "send_direct_message": _SPEAKS,
    "send_channel_message": _SPEAKS,
    "add_user_to_channel": _MEMBERS,
    "invite_user_to_slack": _MEMBERS,
    "remove_user_from_slack": _MEMBERS,
    "get_webpage": (FETCH, "asks any address, so the address can carry data out"),
    "post_webpage": (WRITE, "sends any text to any address"),
}

_WORKSPACE_SUITE: Table = {
    "get_unread_emails": (READ, "marks mails as read, which is what reading them does"),
    "get_sent_emails": _OWN_MAIL,
    "get_received_emails": _OWN_MAIL,
    "get_draft_emails": _OWN_MAIL,
    "search_emails": _OWN_MAIL,
    "search_contacts_by_name": _OWN_MAIL,
    "search_contacts_by_email": _OWN_MAIL,
    "send_email": _MAILS,
    "delete_email": (WRITE, "removes a mail"),
    "get_current_day": _OWN_CALENDAR,
    "search_calendar_events": _OWN_CALENDAR,
    "get_day_calendar_events": _OWN_CALENDAR,
    "create_calendar_event": _INVITES,
    "cancel_calendar_event": _INVITES,
    "reschedule_calendar_event": _INVITES,
    "add_calendar_event_participants": _INVITES,
    "search_files_by_filename": _OWN_FILES,
    "search_files": _OWN_FILES,
    "get_file_by_id": _OWN_FILES,
    "list_files": _OWN_FILES,
    "append_to_file": _CHANGES_FILES,
    "create_file": _CHANGES_FILES,
    "delete_file": _CHANGES_FILES,
    "share_file": _CHANGES_FILES,
}

EFFECTS: Mapping[str, Table] = {
    "banking": _BANKING,
    "travel": _TRAVEL,
    "slack": _SLACK,
    "workspace": _WORKSPACE_SUITE,
}


class Guard(StrEnum):
    """Which effects wait for a human."""

    NONE = "no gate"
    WRITES = "writes only"
    OURS = "fetches and writes (ours)"

    def effect(self, suite: str, tool: str) -> Effect:
        """Return the effect under which a tool is offered; what need not wait is a read."""
        declared, _ = EFFECTS[suite][tool]
        free = {Guard.NONE: {FETCH, WRITE}, Guard.WRITES: {FETCH}, Guard.OURS: set[Effect]()}
        return READ if declared in free[self] else declared

    def asks(self, suite: str, tool: str) -> bool:
        """Tell whether a call of the tool waits for a human."""
        return self.effect(suite, tool) is not READ

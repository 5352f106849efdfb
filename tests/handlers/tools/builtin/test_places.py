"""Who is shown what was said elsewhere: the rule alone, for every audience."""

from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import Place
from handlers.tools.builtin.places import Spot, may_be_shown
from handlers.tools.ports import Caller, ToolContext
from index.audience import EVERYONE, Audience, Principal

CHANNELS = ("GONE", "GTWO", "GTHREE")
HELD = st.frozensets(
    st.sampled_from([EVERYONE, *(Principal("slack-channel", one) for one in CHANNELS)])
)


@given(
    members=st.lists(HELD, max_size=4),
    there=st.sampled_from(CHANNELS),
    here=st.sampled_from(CHANNELS),
    private=st.booleans(),
)
def test_a_room_is_shown_a_channel_only_if_each_of_its_people_may_read_it(
    members: list[frozenset[Principal]], there: str, here: str, private: bool
) -> None:
    caller = Caller("T1", here, "U1", "1.1", Place.CHANNEL)
    context = ToolContext(caller, Audience.of(*members), "c1", 0.0)
    needed = Principal("slack-channel", there) if private else EVERYONE
    each = bool(members) and all(needed in one for one in members)
    assert may_be_shown(Spot(there, "", there, private), context) == (here == there or each)

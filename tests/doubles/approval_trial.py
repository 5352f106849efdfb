"""One random story of a proposal: clicks, right and wrong, and workers that try to run its calls.

What may happen is kept here a second time, by the words of the issue and not by those of the code:
who clicked on what was shown to them. ``Wrong`` names the first thing that happens otherwise. A
number plays the same story again, but for the order in which a crowd gets through.
"""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.proposals import Decided, Decision, Proposal, ProposedCall, Ruling, Verb
from handlers.tools.approvals import KEPT_SECONDS, Approvals, CallToApprove
from handlers.tools.arguments import read_back, tool_digest
from handlers.tools.ports import Tool
from handlers.work.errors import StoreUnavailable
from handlers.work.jobs import AgentJob
from handlers.work.ports import Item, StateStore
from tests.doubles.clocks import ManualClock
from tests.doubles.losing_store import LosingStore
from tests.doubles.noting_tool import NotingTool
from tests.doubles.typed_arguments import anything, as_typed, bad_texts

TTL = 3600.0
MEMBERS = ("U1", "U2", "U3", "U4")
STRANGER = "U9"
SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "count": {"type": "number"}},
    "required": ["text"],
}
DECIDED = (Ruling.APPROVED, Ruling.REJECTED)


class Wrong(AssertionError):
    """Something happened that nobody had allowed, or did not happen although somebody had."""


class SlackDown(Exception):
    """Slack does not say who is in the room."""


@dataclass
class Expected:
    """What is known of one call: what its card shows, and what somebody rightly said to it."""

    shown: ProposedCall
    verdict: Verb | None = None
    may_run: str = ""
    taken: bool = False
    ran: list[str] = field(default_factory=list)


class Trial:
    """Plays one story on ``stores``, which are several processes' views of one table."""

    def __init__(self, stores: Sequence[StateStore], clock: ManualClock, number: int) -> None:
        self.chance = random.Random(number)
        self.clock = clock
        self.truth = stores[0]
        self.lines = [LosingStore(store, self.chance) for store in stores]
        self.views = [Approvals(line, clock=clock) for line in self.lines]
        self.job = AgentJob("T1", "C1", "U1", f"{number}.000100", "1.000100", "channel")
        self.approvers = self.chance.choice([(), (), ("U2",), ("U2", "U3", "U8")])
        self.tools = [
            NotingTool(name=f"tool_{n}", parameters=SCHEMA)
            for n in range(self.chance.choice([1, 1, 2, 3]))
        ]
        self.calls = [
            CallToApprove(f"call-{n}", tool, anything(self.chance))
            for n, tool in enumerate(self.tools)
        ]
        self.expires_at = clock() + TTL
        self.known: dict[str, Expected] = {}
        self.unapproved: list[ProposedCall] = []
        self.clicks: list[Decision] = []
        self.counts: dict[str, int] = {}

    async def play(self) -> None:
        """Play to the end. Raises Wrong."""
        proposal = await self._view().propose(
            self.job, self.calls, approvers=self.approvers, ttl=TTL
        )
        self.known = {call.approval: Expected(call) for call in proposal.calls}
        for call, asked in zip(proposal.calls, self.calls, strict=True):
            if json.loads(call.arguments) != json.loads(json.dumps(asked.arguments)):
                raise Wrong("The card shows other arguments than were asked for.")
        moves = [
            *(self.legitimate, self.legitimate, self.work, self.work, self.attack, self.attack),
            *(self.attack, self.edit, self.replay, self.propose_again, self.lossy),
            *([self.crowd] if self.chance.random() < 0.06 else []),
            *([self.rebound] if self.chance.random() < 0.2 else []),
            *([self.late] if self.chance.random() < 0.25 else []),
        ]
        for move in self.chance.sample(moves, k=self.chance.randint(4, len(moves))):
            self.counts[move.__name__] = self.counts.get(move.__name__, 0) + 1
            await move()
        await self.work()
        self.counts["calls"] = len(self.known)
        self.counts["runs"] = sum(len(expected.ran) for expected in self.known.values())

    # -- moves ---------------------------------------------------------------------------------

    async def legitimate(self) -> None:
        await self._click(self._decision(verb=self._verb()))

    async def edit(self) -> None:
        one = self.chance.choice(list(self.known))
        text = as_typed(self.chance, anything(self.chance))
        await self._click(self._decision(ids=[one], arguments=text))

    async def attack(self) -> None:
        right = self._decision(verb=self._verb())
        ids = [key for key, _ in right.calls]
        one = self.chance.choice(ids)
        other = self.chance.choice([key for key in self.known if key != one] or [one[::-1]])
        old_nonce = "" if other not in self.known else self.known[other].shown.nonce
        forged = f"{self.chance.getrandbits(128):032x}"
        wrong = [
            replace(right, user=STRANGER),
            replace(right, user="U8"),
            replace(right, user=self.chance.choice(MEMBERS)),
            replace(right, channel="C2"),
            replace(right, channel=""),
            replace(right, team="T2"),
            replace(right, calls=((forged, forged),)),
            replace(right, calls=(*right.calls, (forged, forged))),
            replace(right, calls=((one, forged),)),
            replace(right, calls=((one, old_nonce),)),
            replace(right, calls=((one, ""),)),
            replace(right, calls=(("../" + one, self.known[one].shown.nonce),)),
            replace(right, calls=(*right.calls, right.calls[0])),
            replace(right, calls=()),
            replace(right, calls=right.calls[:1], arguments=self.chance.choice(bad_texts())),
            replace(right, calls=right.calls, arguments='{"text":"typed"}'),
            replace(right, calls=(*right.calls[:-1], (right.calls[-1][0], forged))),
            replace(right, calls=(*right.calls, await self._of_another_proposal())),
        ]
        await self._click(self.chance.choice(wrong))

    async def _of_another_proposal(self) -> tuple[str, str]:
        """Propose another call under an id that the model used before; nobody approves that one."""
        if self.unapproved:
            return self.unapproved[0].approval, self.unapproved[0].nonce
        asked = replace(self.calls[0], arguments={"text": f"another {self.chance.random()}"})
        other = await self._view().propose(self.job, [asked], ttl=TTL)
        [shown] = other.calls
        if json.loads(shown.arguments) != asked.arguments or shown.approval in self.known:
            raise Wrong("One approval stands for two calls.")
        self.unapproved.append(shown)
        return shown.approval, shown.nonce

    async def replay(self) -> None:
        if self.clicks:
            await self._click(self.chance.choice(self.clicks))

    async def propose_again(self) -> None:
        again = await self._view().propose(
            self.job, self.calls, approvers=self.approvers, ttl=10 * TTL
        )
        shown = tuple(expected.shown for expected in self.known.values())
        later = abs(again.expires_at.timestamp() - self.expires_at) > 0.01
        if again.calls != shown or later:
            raise Wrong("A second proposal of the same calls is not the first.")

    async def rebound(self) -> None:
        """Somebody else's edit comes between what is shown and the click on it."""
        key, expected = self.chance.choice(list(self.known.items()))
        item = await self._item(key)
        if expected.verdict is not None:
            return
        old = expected.shown
        arguments = '{"text":"what nobody was shown"}'
        value = {**item.value, "arguments": arguments, "nonce": "e" * 32}
        await self.truth.replace(f"approval:{key}", value, KEPT_SECONDS, item.revision)
        expected.shown = replace(old, arguments=arguments, nonce="e" * 32)
        await self._click(self._decision(ids=[key], nonces={key: old.nonce}))

    async def late(self) -> None:
        left = self.expires_at - self.clock()
        self.clock.advance(self.chance.choice([left - 0.001, left, left + 1, left + 86400]))

    async def lossy(self) -> None:
        for line in self.lines:
            line.loss = 0.3
        await self.chance.choice([self.legitimate, self.edit, self.work])()
        for line in self.lines:
            line.loss = 0.0

    async def crowd(self) -> None:
        """Fifty click at once, while workers try to run the calls."""
        decisions = [self._decision(verb=self._verb()) for _ in range(44)]
        for _ in range(6):
            one = self.chance.choice(list(self.known))
            text = as_typed(self.chance, anything(self.chance))
            decisions.append(self._decision(ids=[one], arguments=text))
        undecided = [key for key, expected in self.known.items() if expected.verdict is None]
        right = [self._expected(decision) in DECIDED for decision in decisions]
        answers = await asyncio.gather(
            *(self._decide(decision) for decision in decisions), self.work(check=False)
        )
        carried_out = [
            decision
            for decision, answer in zip(decisions, answers, strict=False)
            if answer and answer.ruling in DECIDED
        ]
        if undecided and any(right) and not carried_out:
            raise Wrong("Of fifty clicks none counted.")
        for key in undecided:
            await self._settle(key, decisions)
        self._nothing_wrong_ran()

    async def work(self, *, check: bool = True) -> None:
        """One to three workers try to run every call, some with a tool that has changed since."""
        changed = self.chance.random() < 0.15
        tries = []
        for key, call in zip(self.known, self.calls, strict=True):
            tool = call.tool
            if changed:
                tool = replace(tool, description="Sends it to everybody.")  # type: ignore[type-var]
            tries += [self._try(key, call, tool) for _ in range(self.chance.choice([1, 1, 2, 3]))]
        await asyncio.gather(*tries, *(self._try_unapproved(call) for call in self.unapproved))
        if check:
            self._nothing_wrong_ran()

    # -- what a worker and a door do -----------------------------------------------------------

    async def _try(self, key: str, call: CallToApprove, tool: Tool) -> None:
        view, asked = self._view(), call
        try:
            standing = await view.standing(key)
            arguments = self.chance.choice([standing.arguments] * 8 + ['{"text":"else"}'])
            run = self.chance.choice([self.job.run] * 20 + ["T1:C1:other"])
            name = self.chance.choice([asked.call] * 20 + ["call-9"])
            digest = tool_digest(tool)
            known = self.known[key]
            before = await self._item(key)
            taken = await view.consume(
                key, run=run, call=name, tool=tool.name, digest=digest, arguments=arguments
            )
        except StoreUnavailable:
            # The approval may be spent now: a call may be lost so, but never run twice.
            self.known[key].taken = True
            return
        right = (arguments, run, name, tool) == (
            standing.arguments,
            self.job.run,
            asked.call,
            asked.tool,
        )
        if taken:
            if not right:
                raise Wrong("Another call ran than the one that was approved.")
            if self.clock() >= self.expires_at:
                raise Wrong("A call ran after its time.")
            ran = json.dumps(read_back(arguments))
            known.ran.append(arguments)
            if ran != json.dumps(json.loads(arguments)):
                raise Wrong("A tool got other arguments than the text says.")
        elif (
            right
            and (before.value["state"], before.value["arguments"]) == ("approved", arguments)
            and not known.ran
            and not known.taken
        ):
            after = await self._item(key)
            if self.clock() < self.expires_at and after.value["state"] == "approved":
                raise Wrong("An approved call was refused.")

    async def _try_unapproved(self, shown: ProposedCall) -> None:
        tool = self.tools[0]
        try:
            taken = await self._view().consume(
                shown.approval,
                run=self.job.run,
                call=self.calls[0].call,
                tool=tool.name,
                digest=tool_digest(tool),
                arguments=shown.arguments,
            )
        except StoreUnavailable:
            return
        if taken:
            raise Wrong("A call ran that nobody approved.")

    async def _click(self, decision: Decision) -> None:
        expected = self._expected(decision)
        before = {key: await self._item(key) for key in self.known}
        answer = await self._decide(decision)
        self.clicks.append(decision)
        if answer is None:
            for key in self.known:
                if self.known[key].verdict is None:
                    await self._settle(key, [decision] if expected in DECIDED else [])
            return
        if answer.ruling is not expected:
            raise Wrong(f"A click was answered {answer.ruling}, and should be {expected}.")
        if expected not in DECIDED:
            if before != {key: await self._item(key) for key in self.known}:
                raise Wrong(f"A click that was {expected} changed something.")
            return
        for key, _ in decision.calls:
            if self.known[key].verdict is None:
                await self._settle(key, [decision])
                if self.known[key].verdict is None:
                    raise Wrong("A click that counts decided nothing.")

    async def _decide(self, decision: Decision) -> Decided | None:
        down = self.chance.random() < 0.03

        async def may_decide(user: str, channel: str) -> bool:
            if down:
                raise SlackDown
            return user in MEMBERS and channel == "C1"

        try:
            return await self._view().decide(decision, may_decide=may_decide)
        except (StoreUnavailable, SlackDown):
            return None

    # -- what should be ------------------------------------------------------------------------

    def _expected(self, decision: Decision) -> Ruling:
        keys = [key for key, _ in decision.calls]
        if not keys or len(set(keys)) < len(keys) or any(key not in self.known for key in keys):
            return Ruling.GONE
        if (decision.team, decision.channel) != ("T1", "C1"):
            return Ruling.ELSEWHERE
        if decision.user not in MEMBERS:
            return Ruling.NOT_AN_APPROVER
        if self.approvers and decision.user not in self.approvers:
            return Ruling.NOT_AN_APPROVER
        if decision.arguments is not None and len(keys) > 1:
            return Ruling.BAD_ARGUMENTS
        each = [self._expected_of(key, nonce, decision) for key, nonce in decision.calls]
        obstacles = [one for one in each if one not in (*DECIDED, Ruling.DECIDED_BEFORE)]
        counted = [one for one in each if one in DECIDED]
        return (obstacles or counted or [Ruling.DECIDED_BEFORE])[0]

    def _expected_of(self, key: str, nonce: str, decision: Decision) -> Ruling:
        expected = self.known[key]
        if expected.verdict is not None:
            return Ruling.DECIDED_BEFORE
        if self.clock() >= self.expires_at:
            return Ruling.EXPIRED
        if nonce != expected.shown.nonce:
            return Ruling.SHOWN_OTHERWISE
        if decision.verb is Verb.REJECT:
            return Ruling.REJECTED
        return Ruling.BAD_ARGUMENTS if decision.arguments in bad_texts() else Ruling.APPROVED

    async def _settle(self, key: str, decisions: Sequence[Decision]) -> None:
        """Find out which of the clicks decided a call, and that it is one which may."""
        expected, value = self.known[key], (await self._item(key)).value
        if value["state"] == "pending":
            return
        for one in decisions:
            if key not in dict(one.calls) or self._expected(one) not in DECIDED:
                continue
            wanted = expected.shown.arguments
            if one.arguments is not None and one.verb is Verb.APPROVE:
                wanted = canonical_by_hand(one.arguments)
            verb = Verb.REJECT if value["state"] == "rejected" else Verb.APPROVE
            if (one.user, one.verb, wanted) == (value["decided_by"], verb, value["arguments"]):
                expected.verdict, expected.may_run = verb, wanted
                [call] = (await self._proposal([key])).calls
                if call.arguments != wanted:
                    raise Wrong("The card shows other arguments than those that may run.")
                expected.shown = call
                return
        raise Wrong("A call was decided by nobody who may.")

    def _nothing_wrong_ran(self) -> None:
        for expected in self.known.values():
            if expected.ran and expected.verdict is not Verb.APPROVE:
                raise Wrong("A call ran that nobody approved.")
            if expected.ran not in ([], [expected.may_run]):
                raise Wrong("A call ran twice, or with other arguments than were shown.")

    # -- means ---------------------------------------------------------------------------------

    def _decision(
        self,
        *,
        verb: Verb = Verb.APPROVE,
        ids: Sequence[str] = (),
        nonces: dict[str, str] | None = None,
        arguments: str | None = None,
    ) -> Decision:
        keys = ids or self.chance.choice([list(self.known), [self.chance.choice(list(self.known))]])
        shown = {key: self.known[key].shown.nonce for key in keys} | (nonces or {})
        user = self.chance.choice([one for one in self.approvers or MEMBERS if one in MEMBERS])
        return Decision("T1", "C1", "2.0", user, verb, tuple(shown.items()), arguments)

    def _verb(self) -> Verb:
        return self.chance.choice([Verb.APPROVE, Verb.APPROVE, Verb.APPROVE, Verb.REJECT])

    def _view(self) -> Approvals:
        return self.chance.choice(self.views)

    async def _item(self, key: str) -> Item:
        item = await self.truth.get(f"approval:{key}")
        if item is None:
            raise Wrong("An approval is gone.")
        return item

    async def _proposal(self, keys: Sequence[str]) -> Proposal:
        proposal = await Approvals(self.truth, clock=self.clock).proposal(keys)
        if proposal is None:
            raise Wrong("A proposal is gone.")
        return proposal


def canonical_by_hand(text: str) -> str:
    """Return typed arguments in order and without blanks, for the plain ones of these trials."""
    value: Any = json.loads(text)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

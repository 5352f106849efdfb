"""Do-once with a lease. The races are in tests/contracts/test_state_store.py, on both stores."""

import asyncio
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.claims import Claim, Claims, Done, Held
from handlers.work.errors import ClaimLost
from handlers.work.jobs import DEDUPE_SECONDS
from tests.doubles.clocks import ManualClock

LEASE = 60.0


@pytest.fixture
def claims(store: SqliteStore, clock: ManualClock) -> Claims:
    return Claims(store, lease_seconds=LEASE, clock=clock)


async def take(claims: Claims, key: str = "job") -> Claim:
    taken = await claims.take(key)
    assert isinstance(taken, Claim)
    return taken


async def test_the_first_taker_gets_a_fresh_claim(claims: Claims) -> None:
    claim = await take(claims)
    assert (claim.key, claim.taken_over, claim.notes) == ("job", False, {})


async def test_what_is_done_is_dropped_for_a_day_with_its_result(
    claims: Claims, clock: ManualClock
) -> None:
    await (await take(claims)).done({"ts": "1.2"})
    clock.advance(DEDUPE_SECONDS - 1)
    assert await claims.take("job") == Done({"ts": "1.2"})
    clock.advance(1)
    assert isinstance(await claims.take("job"), Claim)


async def test_what_is_held_comes_later_when_the_lease_will_have_lapsed(
    claims: Claims, clock: ManualClock
) -> None:
    await take(claims)
    clock.advance(20)
    assert await claims.take("job") == Held(40.0)


async def test_a_lapsed_claim_is_taken_over_with_the_notes_of_the_dead(
    claims: Claims, clock: ManualClock
) -> None:
    dead = await take(claims)
    await dead.note({"posted": ["1.2"]})
    await dead.note({"stream": "1.3"})
    clock.advance(LEASE)
    heir = await take(claims)
    assert heir.taken_over
    assert heir.notes == {"posted": ["1.2"], "stream": "1.3"}
    await heir.note({"posted": ["1.2", "1.4"]})
    clock.advance(LEASE)
    assert (await take(claims)).notes == {"posted": ["1.2", "1.4"], "stream": "1.3"}


async def test_a_worker_that_lost_its_lease_can_change_nothing(
    claims: Claims, clock: ManualClock
) -> None:
    slow = await take(claims)
    clock.advance(LEASE)
    quick = await take(claims)
    for attempt in (slow.renew(), slow.note({"n": 1}), slow.done({"by": "slow"})):
        with pytest.raises(ClaimLost):
            await attempt
    await slow.release()
    assert isinstance(await claims.take("job"), Held)
    await quick.done({"by": "quick"})
    with pytest.raises(ClaimLost):
        await slow.done({"by": "slow"})
    assert await claims.take("job") == Done({"by": "quick"})


async def test_a_lapsed_claim_that_nobody_took_can_still_be_done(
    claims: Claims, clock: ManualClock
) -> None:
    claim = await take(claims)
    clock.advance(LEASE * 3)
    await claim.done()
    assert await claims.take("job") == Done()


async def test_a_renewed_claim_is_held_for_as_long_as_it_is_renewed(
    claims: Claims, clock: ManualClock
) -> None:
    claim = await take(claims)
    for _ in range(5):
        clock.advance(LEASE - 1)
        await claim.renew()
    clock.advance(LEASE - 1)
    assert await claims.take("job") == Held(1.0)


async def test_a_claim_released_without_a_trace_starts_afresh_at_once(claims: Claims) -> None:
    await (await take(claims)).release()
    assert not (await take(claims)).taken_over


async def test_a_claim_released_with_notes_hands_them_on_at_once(claims: Claims) -> None:
    claim = await take(claims)
    await claim.note({"posted": ["1.2"]})
    await claim.release()
    heir = await take(claims)
    assert (heir.taken_over, heir.notes) == (True, {"posted": ["1.2"]})


async def test_a_clock_that_ran_ahead_holds_a_key_for_one_lease_at_most(
    claims: Claims, clock: ManualClock
) -> None:
    await take(claims)
    clock.advance(-3600)
    assert await claims.take("job") == Held(LEASE)


async def test_renewing_while_noting_fences_nobody_off(claims: Claims) -> None:
    claim = await take(claims)
    await asyncio.gather(*(claim.renew() for _ in range(8)), claim.note({"n": 1}))
    await claim.done()


async def test_a_renewal_that_is_cancelled_half_way_fences_nobody_off(
    claims: Claims, tmp_path: Path
) -> None:
    claim = await take(claims)
    busy = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    renewing = asyncio.create_task(claim.renew())
    await asyncio.sleep(0.1)
    renewing.cancel()
    await asyncio.gather(renewing, return_exceptions=True)
    busy.execute("COMMIT")
    busy.close()
    await claim.note({"n": 1})
    await claim.done()


async def test_what_is_done_stays_done_whatever_comes_late(claims: Claims) -> None:
    claim = await take(claims)
    await claim.note({"posted": ["1.2"]})
    await claim.done({"n": 1})
    await claim.renew()
    await claim.release()
    with pytest.raises(ClaimLost):
        await claim.note({"late": True})
    with pytest.raises(ClaimLost):
        await claim.done({"n": 2})
    assert await claims.take("job") == Done({"n": 1})


@pytest.mark.parametrize("lease", [0, -1, float("nan"), DEDUPE_SECONDS])
async def test_a_lease_without_an_end_or_a_length_is_refused(tmp_path: Path, lease: float) -> None:
    with pytest.raises(ValueError, match="lease"):
        Claims(SqliteStore(tmp_path / "state.sqlite"), lease_seconds=lease)


WORKERS = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["take", "take", "renew", "note", "done", "release"]), WORKERS),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 30.0, 61.0])),
    ),
    max_size=25,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_whatever_three_workers_do_only_the_rightful_one_gets_anything_done(
    steps: list[tuple[str, float]],
) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, float]]) -> None:
    """Play ``steps`` beside a model in plain variables, and compare after each."""
    clock = ManualClock()
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "state.sqlite", clock=clock)
        claims = Claims(store, lease_seconds=LEASE, clock=clock)
        held: dict[int, Claim] = {}
        owner: int | None = None
        until = 0.0
        notes: dict[str, object] = {}
        done = False
        for n, (action, who) in enumerate(steps):
            if action == "wait":
                clock.advance(who)
                continue
            worker = int(who)
            if action == "take":
                taken = await claims.take("job")
                if done:
                    assert taken == Done({"n": 1})
                elif owner is not None and until > clock.now:
                    assert taken == Held(until - clock.now)
                else:
                    assert isinstance(taken, Claim)
                    assert (taken.taken_over, taken.notes) == (owner is not None, notes)
                    owner, until = worker, clock.now + LEASE
                    held[worker] = taken
                continue
            if worker not in held:
                continue
            rightful = owner == worker and not done
            if action == "release":
                await held.pop(worker).release()
                if rightful:
                    owner, until = (worker, 0.0) if notes else (None, 0.0)
                continue
            claim = held[worker]
            if action == "renew" and done and owner == worker:
                await claim.renew()  # late, from the background: changes nothing
                continue
            if action == "renew":
                call = claim.renew()
            elif action == "note":
                call = claim.note({f"{n}": n})
            else:
                call = claim.done({"n": 1})
            if not rightful:
                with pytest.raises(ClaimLost):
                    await call
                continue
            await call
            until = clock.now + LEASE
            if action == "note":
                notes[f"{n}"] = n
            done = action == "done"
        await store.close()

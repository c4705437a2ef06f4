"""The life of a command: forward only, stages in their order, and nothing that has ended is rewritten."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.capabilities import Capability
from domain.commands import FINAL, STAGES, Command, CommandStage, CommandStatus, Progress, advanced, contradicts
from domain.refs import Kind, Ref
from journal.intents import begun

AT = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
STATUS = CommandStatus
LIFE = [
    Progress(status=STATUS.ACKNOWLEDGED, stage=CommandStage.UNLOCKED),
    Progress(status=STATUS.ACKNOWLEDGED, stage=CommandStage.OPENED),
    Progress(status=STATUS.ACKNOWLEDGED, stage=CommandStage.CLOSED),
    Progress(status=STATUS.SUCCEEDED, stage=CommandStage.INVENTORIED),
]
progresses = st.builds(Progress, status=st.sampled_from(STATUS), stage=st.none() | st.sampled_from(CommandStage))


def new() -> Command:
    machine = Ref(Kind.MACHINE, "acme", "m1")
    return begun(Ref(Kind.COMMAND, "acme", "c1"), Capability.OPEN_DOOR, machine, "me", "key", AT)


def lived(command: Command, told: Sequence[Progress]) -> Command:
    for seconds, progress in enumerate(told, start=1):
        command = advanced(command, progress, AT + timedelta(seconds=seconds)) or command
    return command


def sent() -> Command:
    return lived(new(), [Progress(status=STATUS.SENT)])


@pytest.mark.parametrize("told", [*permutations(LIFE)])
def test_an_opening_is_told_in_its_order_whatever_the_order_of_arrival(told: Sequence[Progress]) -> None:
    command = lived(sent(), told)
    assert (command.status, command.stage) == (STATUS.SUCCEEDED, CommandStage.INVENTORIED)
    assert [one.stage for one in command.history if one.stage is not None] == list(CommandStage)
    assert command.history[-1].status is STATUS.SUCCEEDED
    assert all(one.at <= other.at for one, other in pairwise(command.history))


@given(st.lists(progresses, max_size=12))
def test_whatever_is_told_it_goes_forward_only(told: list[Progress]) -> None:
    command = new()
    for seconds, progress in enumerate(told, start=1):
        before = command
        command = advanced(before, progress, AT + timedelta(seconds=seconds)) or before
        if before.ended:
            assert (command.status, command.completed_at) == (before.status, before.completed_at)
        if before.status is STATUS.UNKNOWN:
            assert command.status in {STATUS.UNKNOWN, *FINAL}
        assert (command.completed_at is not None) == command.ended
        assert len(command.history) - len(before.history) == (command is not before)
    stages = [STAGES[one.stage] for one in command.history if one.stage is not None]
    assert stages == sorted(set(stages))
    assert (STAGES[command.stage] if command.stage else -1) == max(stages, default=-1)
    assert all(one.at <= other.at for one, other in pairwise(command.history))


def test_what_is_told_again_is_nothing_new() -> None:
    once = lived(sent(), LIFE[:2])
    assert advanced(once, LIFE[1], AT) is None
    assert advanced(once, Progress(status=STATUS.SENT), AT) is None


@pytest.mark.parametrize("status", [STATUS.SUCCEEDED, STATUS.FAILED])
def test_what_is_unknown_is_settled_by_a_late_word(status: CommandStatus) -> None:
    unknown = lived(sent(), [Progress(status=STATUS.UNKNOWN, note="no word", error="no word")])
    assert unknown.error == "no word"
    settled = lived(unknown, [Progress(status=status, note="late")])
    assert (settled.status, settled.error) == (status, None)
    assert settled.completed_at is not None


def test_a_stage_that_comes_late_does_not_settle_what_is_unknown() -> None:
    unknown = lived(sent(), [Progress(status=STATUS.UNKNOWN)])
    later = lived(unknown, [LIFE[1]])
    assert (later.status, later.stage) == (STATUS.UNKNOWN, CommandStage.OPENED)


def test_what_ended_otherwise_is_contradicted_and_stays() -> None:
    done = lived(sent(), [Progress(status=STATUS.SUCCEEDED)])
    assert contradicts(done, Progress(status=STATUS.FAILED))
    assert not contradicts(done, Progress(status=STATUS.SUCCEEDED))
    assert not contradicts(done, Progress(status=STATUS.UNKNOWN))
    assert not contradicts(sent(), Progress(status=STATUS.FAILED))
    assert advanced(done, Progress(status=STATUS.FAILED), AT) is None

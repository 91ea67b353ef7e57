"""Every element of the subset, each on a diagram of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.engine.workflow import diagrams as d
from tests.engine.workflow.play import NOW, Play

from rathaus.engine.workflow import (
    CallOperation,
    CancelOperation,
    ClearTimer,
    CloseTask,
    Ended,
    Incident,
    LoopLimit,
    OpenTask,
    SetTimer,
    StaleEvent,
    StepFailed,
    Stuck,
    Subscribe,
    TaskCompleted,
    TimerFired,
    Unsubscribe,
    WorkflowError,
    compile_bpmn,
    machine,
    start,
)

HOUR = ("Duration", "PT1H")


# ----------------------------------------------------------------------------------------------------- tasks


def test_send_task_calls_the_default_operation() -> None:
    play = Play(
        d.bpmn(d.process(d.send("brief", d.extensions({"an": '"Amt"'})), flows="start > brief > ende"))
    )
    assert play.effects == (CallOperation("1", "brief", "messages.send", {"an": "Amt"}, {}),)
    assert play.do("brief").ended == Ended("completed")


def test_operation_result_comes_out_only_where_declared() -> None:
    task = d.service(
        "buchen", "payments.request", d.extensions(outputs={"nummer": "result.nummer"}), r_eilig="ja"
    )
    play = Play(d.bpmn(d.process(task, d.user("ansehen"), flows="start > buchen > ansehen > ende")))
    assert play.effects[0].attributes == {"eilig": "ja"}
    play.do("buchen", {"nummer": "4711", "rest": [1]})
    assert play.variables == {"nummer": "4711"}


def test_failed_operation_without_boundary_is_an_incident_and_waits_on() -> None:
    play = Play(d.bpmn(d.process(d.service("buchen"), flows="start > buchen > ende")))
    before = play.state
    play.fail("buchen", "kaputt", "Verbindung weg")
    assert play.effects == (Incident("1", "buchen", "kaputt", "Verbindung weg"),)
    assert play.state == before
    assert play.do("buchen").ended == Ended("completed")


def test_receive_task() -> None:
    receive = d.receive("warten", "antwort", d.extensions(outputs={"text": "result.text"}))
    play = Play(
        d.bpmn(d.message("antwort"), d.process(receive, d.user("u"), flows="start > warten > u > ende"))
    )
    assert play.effects == (Subscribe("1", "warten", "antwort"),)
    play.do("warten", {"text": "ja"})
    assert play.effects[0] == Unsubscribe("1")
    assert (play.waits, play.variables) == (["u"], {"text": "ja"})


def test_script_assigns_exactly() -> None:
    text = 'summe = betrag * 3\n# Anteil\nanteil = runden(summe / 7, 2)\ntag = datum("2026-02-28")'
    play = Play(
        d.bpmn(d.process(d.script("rechnen", text), d.user("u"), flows="start > rechnen > u > ende")),
        variables={"betrag": Decimal("0.10")},
    )
    assert play.variables == {
        "betrag": Decimal("0.10"),
        "summe": Decimal("0.30"),
        "anteil": Decimal("0.04"),
        "tag": date(2026, 2, 28),
    }


def test_business_rule_result_and_further_outputs() -> None:
    class Table:
        def evaluate(self, names: object) -> dict[str, Decimal]:
            return {"steuer": Decimal(54), "marke": Decimal(3)}

    task = d.rule("regel", "tabelle", "alles", d.extensions(outputs={"steuer": "result.steuer"}))
    play = Play(
        d.bpmn(d.process(task, d.user("u"), flows="start > regel > u > ende")),
        compile={"decisions": {"tabelle": Table()}},
    )
    assert play.variables == {"alles": {"steuer": Decimal(54), "marke": Decimal(3)}, "steuer": Decimal(54)}


def test_arguments_of_a_user_task_and_role_by_lane_and_attribute() -> None:
    play = Play(
        d.bpmn(
            d.process(
                d.parallel("gabel"),
                d.user("a", d.extensions({"was": "antrag.titel"})),
                d.user("b", r_role="Leitung"),
                d.sub("s", d.user("c"), flows="s_start > c > s_ende"),
                flows="start > gabel > a > ende; gabel > b > ende; gabel > s > ende",
                lanes={"Amt": "a b s"},
            )
        ),
        data={"antrag": {"titel": "Hund"}},
    )
    tasks = {effect.element: effect for effect in play.effects if isinstance(effect, OpenTask)}
    assert tasks["a"].arguments == {"was": "Hund"}
    assert {name: task.role for name, task in tasks.items()} == {"a": "Amt", "b": "Leitung", "c": "Amt"}
    assert play.definition.roles == {"Amt", "Leitung"}


def test_data_is_seen_but_never_stored_nor_assigned() -> None:
    xml = d.bpmn(d.process(d.script("s", "antrag = 1"), d.user("u"), flows="start > s > u > ende"))
    assert Play(xml).variables == {"antrag": Decimal(1)}
    with pytest.raises(StepFailed, match="antrag"):
        Play(xml, data={"antrag": {}})
    with pytest.raises(StepFailed, match="antrag"):
        Play(
            d.bpmn(d.process(d.user("u"), flows="start > u > ende")),
            data={"antrag": 1},
            variables={"antrag": 2},
        )


# -------------------------------------------------------------------------------------------------- gateways


@pytest.mark.parametrize(("betrag", "waits"), [(5, ["klein"]), (50, ["mittel"]), (500, ["gross"])])
def test_exclusive_takes_the_first_that_holds(betrag: int, waits: list[str]) -> None:
    xml = d.bpmn(
        d.process(
            d.exclusive("wahl"),
            d.user("gross"),
            d.user("mittel"),
            d.user("klein"),
            flows="""start > wahl >{betrag > 100} gross > ende
                     wahl >{betrag > 10} mittel > ende
                     wahl >* klein > ende""",
        )
    )
    assert Play(xml, variables={"betrag": betrag}).waits == waits


def test_exclusive_condition_that_cannot_be_decided_stops_the_step() -> None:
    xml = d.bpmn(
        d.process(d.exclusive("wahl"), d.user("a"), flows="start > wahl >{betrag > 1} a > ende; wahl >* ende")
    )
    with pytest.raises(StepFailed) as caught:
        Play(xml, variables={"betrag": "viel"})
    assert caught.value.element == "p_f1"
    with pytest.raises(StepFailed):
        Play(xml)


def test_parallel_waits_for_all() -> None:
    xml = d.bpmn(
        d.process(
            d.parallel("gabel"),
            d.user("a"),
            d.user("b"),
            d.user("c"),
            d.parallel("treffen"),
            d.user("danach"),
            flows="start > gabel > a > treffen > danach > ende; gabel > b > treffen; gabel > c > treffen",
        )
    )
    play = Play(xml)
    assert play.waits == ["a", "b", "c"]
    play.do("b").do("a")
    assert play.waits == ["c"]
    assert "treffen" not in play.passed
    assert play.do("c").waits == ["danach"]
    assert play.do("danach").ended == Ended("completed")


def test_join_that_cannot_be_completed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check refuses such a diagram; the machine says it too, should one get past."""
    xml = d.bpmn(
        d.process(
            d.exclusive("wahl"),
            d.user("a"),
            d.user("b"),
            d.parallel("treffen"),
            flows="start > wahl >{True} a > treffen > ende; wahl >* b > treffen",
        )
    )
    monkeypatch.setattr("rathaus.engine.workflow.compile.stuck_joins", lambda _: [])
    play = Play(xml)
    with pytest.raises(Stuck) as caught:
        play.do("a")
    assert caught.value.element == "treffen"


INCLUSIVE = d.bpmn(
    d.process(
        d.inclusive("gabel"),
        d.user("a"),
        d.user("b"),
        d.user("c"),
        d.inclusive("treffen"),
        d.user("danach"),
        flows="""start > gabel >{x > 1} a > treffen > danach > ende
                 gabel >{x > 2} b > treffen
                 gabel >* c > treffen""",
    )
)


@pytest.mark.parametrize(("x", "waits"), [(1, ["c"]), (2, ["a"]), (3, ["a", "b"])])
def test_inclusive_takes_all_that_hold_and_waits_for_just_these(x: int, waits: list[str]) -> None:
    play = Play(INCLUSIVE, variables={"x": x})
    assert play.waits == waits
    for name in waits:
        assert play.waits != ["danach"]
        play.do(name)
    assert play.waits == ["danach"]


def test_inclusive_join_with_rework_loop_inside_a_branch() -> None:
    xml = d.bpmn(
        d.process(
            d.inclusive("gabel"),
            d.exclusive("vor"),
            d.user("a", d.extensions(outputs={"ok": "result.ok"})),
            d.exclusive("gut"),
            d.user("b"),
            d.inclusive("treffen"),
            flows="""start > gabel >{True} vor > a > gut >{ok} treffen > ende
                     gut >* vor
                     gabel >* b > treffen""",
        )
    )
    play = Play(xml)
    for _ in range(5):
        assert play.do("a", {"ok": False}).waits == ["a"]
    assert play.do("a", {"ok": True}).ended == Ended("completed")


def test_inclusive_join_waits_for_a_path_begun_at_a_boundary_event() -> None:
    xml = d.bpmn(
        d.process(
            d.inclusive("gabel"),
            d.user("a"),
            d.user("b"),
            d.boundary("spaet", "a", timer=HOUR, interrupting=False),
            d.user("mahnen"),
            d.inclusive("treffen"),
            d.user("danach"),
            flows="""start > gabel >{True} a > treffen > danach > ende
                     gabel >{True} b > treffen
                     gabel >* treffen
                     spaet > mahnen > treffen""",
        )
    )
    assert Play(xml).do("b").do("a").waits == ["danach"]
    play = Play(xml).do("spaet").do("b").do("a")
    assert play.waits == ["mahnen"]
    assert play.do("mahnen").waits == ["danach"]


EVENT_GATEWAY = d.bpmn(
    d.message("antwort"),
    d.message("zurueck"),
    d.process(
        d.event_based("was_kommt"),
        d.catch("da", message="antwort", inner=d.extensions(outputs={"x": "result.x"})),
        d.receive("weg", "zurueck"),
        d.catch("frist", timer=("Duration", "P14D")),
        d.user("a"),
        d.user("b"),
        d.user("c"),
        flows="start > was_kommt > da > a > ende; was_kommt > weg > b > ende; was_kommt > frist > c > ende",
    ),
)


def test_event_based_gateway_takes_the_first_event_only() -> None:
    play = Play(EVENT_GATEWAY)
    assert play.waits == ["da", "frist", "weg"]
    timer = play.token("frist")
    play.do("da", {"x": 1})
    assert (play.waits, play.variables) == (["a"], {"x": Decimal(1)})
    assert ClearTimer(timer) in play.effects
    with pytest.raises(StaleEvent):
        play.send(TimerFired(timer))
    play = Play(EVENT_GATEWAY).do("weg")
    assert play.waits == ["b"]
    play = Play(EVENT_GATEWAY).do("frist")
    assert play.waits == ["c"]
    assert sum(isinstance(effect, Unsubscribe) for effect in play.effects) == 2


# ---------------------------------------------------------------------------------------------------- events


@pytest.mark.parametrize(
    ("timer", "due"),
    [
        (("Duration", "P14D"), NOW + timedelta(days=14)),
        (("Duration", "P1Y2M10DT2H30M"), datetime(2027, 5, 12, 11, 0, tzinfo=UTC)),
        (("Duration", "P1W"), NOW + timedelta(days=7)),
        (("Duration", "frist"), NOW + timedelta(days=30)),
        (("Duration", "tage_zahl * 2"), NOW + timedelta(days=6)),
        (("Date", "2026-12-31"), datetime(2026, 12, 31, tzinfo=UTC)),
        (("Date", "2026-12-31T06:00:00+01:00"), datetime(2026, 12, 31, 5, tzinfo=UTC)),
        (("Date", "stichtag"), datetime(2027, 1, 1, tzinfo=UTC)),
        (("Date", "antrag.ende"), datetime(2027, 6, 30, tzinfo=UTC)),
    ],
)
def test_catching_timer(timer: tuple[str, str], due: datetime) -> None:
    play = Play(
        d.bpmn(d.process(d.catch("warten", timer=timer), flows="start > warten > ende")),
        variables={"frist": "P30D", "tage_zahl": 3, "stichtag": date(2027, 1, 1)},
        data={"antrag": {"ende": "2027-06-30"}},
    )
    assert play.effects == (SetTimer("1", "warten", due),)
    assert play.do("warten").ended == Ended("completed")


@pytest.mark.parametrize("value", ["bald", "P", "P1", 2.5, True, None, "2026-01-01", Decimal("1E+9"), -3])
def test_timer_expression_without_a_time_stops_the_step(value: object) -> None:
    xml = d.bpmn(d.process(d.catch("warten", timer=("Duration", "frist")), flows="start > warten > ende"))
    with pytest.raises(StepFailed):
        Play(xml, variables={"frist": value})


def test_terminate_ends_all_branches() -> None:
    xml = d.bpmn(
        d.process(
            d.parallel("gabel"),
            d.user("a"),
            d.user("b"),
            d.service("c"),
            d.end("schluss", terminate=True),
            flows="start > gabel > a > schluss; gabel > b > ende; gabel > c > ende",
        )
    )
    play = Play(xml).do("a")
    assert play.effects == (CloseTask("2"), CancelOperation("3"), Ended("terminated"))


def test_terminate_in_a_subprocess_ends_only_that() -> None:
    inner = d.sub(
        "s",
        d.parallel("gabel"),
        d.user("a"),
        d.user("b"),
        d.end("schluss", terminate=True),
        flows="s_start > gabel > a > schluss; gabel > b > s_ende",
    )
    play = Play(d.bpmn(d.process(inner, d.user("danach"), flows="start > s > danach > ende"))).do("a")
    assert play.waits == ["danach"]


def test_error_end_nobody_catches() -> None:
    xml = d.bpmn(
        d.error("abgelehnt"),
        d.process(
            d.parallel("gabel"),
            d.user("a"),
            d.user("b"),
            d.end("schluss", error="abgelehnt"),
            flows="start > gabel > a > schluss; gabel > b > ende",
        ),
    )
    assert Play(xml).do("a").effects == (CloseTask("2"), Ended("error", "abgelehnt"))


def test_message_and_timer_start() -> None:
    xml = d.bpmn(
        d.message("eingang"),
        d.process(
            d.start("post", message="eingang", inner=d.extensions(outputs={"von": "result.von"})),
            d.start("jahr", timer=("Cycle", "R/2026-01-31T06:00:00Z/P1M")),
            d.start("einmal", timer=("Date", "2026-07-01")),
            d.user("u"),
            flows="post > u > ende; jahr > u; einmal > u; start > u",
        ),
    )
    definition = compile_bpmn(xml)
    by_id = {begin.element: begin for begin in definition.starts}
    assert (by_id["post"].event, by_id["post"].message) == ("message", "eingang")
    assert by_id["jahr"].timer == "R/2026-01-31T06:00:00Z/P1M"
    times = [datetime(2026, 1, 1, tzinfo=UTC)]
    for _ in range(4):
        at = by_id["jahr"].next_after(times[-1])
        assert at is not None
        times.append(at)
    assert [(at.month, at.day) for at in times[1:]] == [(1, 31), (2, 28), (3, 31), (4, 30)]
    assert by_id["einmal"].next_after(NOW) == datetime(2026, 7, 1, tzinfo=UTC)
    assert by_id["einmal"].next_after(datetime(2026, 7, 1, tzinfo=UTC)) is None
    assert by_id["start"].next_after(NOW) is None
    play = Play(definition, element="post", payload={"von": "Amt"})
    assert (play.variables, play.passed) == ({"von": "Amt"}, {"post"})
    assert Play(definition).passed == {"start"}
    assert Play(definition, element="jahr").waits == ["u"]
    with pytest.raises(WorkflowError):
        start(definition, element="ende", now=NOW)
    with pytest.raises(WorkflowError):
        start(definition, process="gibtsnicht", now=NOW)


# ------------------------------------------------------------------------------------------- boundary events


@pytest.mark.parametrize("kind", ["user", "service", "send", "receive", "sub", "call"])
def test_interrupting_timer_on_every_activity_that_waits(kind: str) -> None:
    activity = {
        "user": d.user("t"),
        "service": d.service("t"),
        "send": d.send("t"),
        "receive": d.receive("t", "m"),
        "sub": d.sub("t", d.user("innen"), flows="t_start > innen > t_ende"),
        "call": d.call("t", "q"),
    }[kind]
    xml = d.bpmn(
        d.message("m"),
        d.process(
            activity,
            d.boundary("frist", "t", timer=HOUR),
            d.user("spaet"),
            d.user("gut"),
            flows="start > t > gut > ende; frist > spaet > ende",
        ),
        d.process(
            d.start("q_start"), d.user("im_ruf"), d.end("q_ende"), flows="q_start > im_ruf > q_ende", id="q"
        ),
    )
    play = Play(xml).do("frist")
    assert play.waits == ["spaet"]
    assert "t" not in play.passed
    assert "frist" in play.passed
    inside = {"sub": "innen", "call": "im_ruf"}.get(kind, "t")
    play = Play(xml).do(inside)
    assert play.waits == ["gut"]
    assert any(isinstance(effect, ClearTimer) for effect in play.effects)


def test_non_interrupting_timer_comes_once_and_leaves_the_task() -> None:
    xml = d.bpmn(
        d.process(
            d.user("t"),
            d.boundary("frist", "t", timer=HOUR, interrupting=False),
            d.send("mahnung"),
            flows="start > t > ende; frist > mahnung > ende",
        )
    )
    play = Play(xml).do("frist")
    assert play.waits == ["mahnung", "t"]
    assert play.do("t").waits == ["mahnung"]
    assert play.do("mahnung").ended == Ended("completed")


def test_non_interrupting_message_comes_as_often_as_it_likes() -> None:
    xml = d.bpmn(
        d.message("frage"),
        d.process(
            d.user("t"),
            d.boundary(
                "nachfrage",
                "t",
                message="frage",
                interrupting=False,
                inner=d.extensions(outputs={"n": "result.n"}),
            ),
            d.user("antworten"),
            flows="start > t > ende; nachfrage > antworten > ende",
        ),
    )
    play = Play(xml).do("nachfrage", {"n": 1}).do("nachfrage", {"n": 2})
    assert play.waits == ["antworten", "antworten", "nachfrage", "t"]
    assert play.variables == {"n": Decimal(2)}
    play.do("t")
    assert play.waits == ["antworten", "antworten"]


def error_diagram(*boundaries: str, flows: str) -> bytes:
    return d.bpmn(
        d.error("abgelehnt"),
        d.error("anders"),
        d.process(d.service("t"), *boundaries, d.user("a"), d.user("b"), flows=f"start > t > ende; {flows}"),
    )


def test_error_boundary_on_an_operation() -> None:
    both = error_diagram(
        d.boundary("alles", "t", error="", inner=d.extensions(outputs={"grund": "result.message"})),
        d.boundary("eins", "t", error="abgelehnt"),
        flows="alles > a > ende; eins > b > ende",
    )
    assert Play(both).fail("t", "abgelehnt").waits == ["b"]
    play = Play(both).fail("t", "zeit", "zu langsam")
    assert (play.waits, play.variables) == (["a"], {"grund": "zu langsam"})
    assert play.effects[:-1] == ()
    one = error_diagram(
        d.boundary("eins", "t", error="abgelehnt"), d.user("c"), flows="eins > b > a > c > ende"
    )
    assert isinstance(Play(one).fail("t", "anders").effects[0], Incident)


def test_error_goes_outwards_to_the_nearest_that_catches_it() -> None:
    inmost = d.sub(
        "i",
        d.user("tief"),
        d.service("op"),
        d.end("i_fehler", error="abgelehnt"),
        d.parallel("g"),
        flows="i_start > g > tief > i_fehler; g > op > i_ende",
    )
    middle = d.sub(
        "m", inmost, d.boundary("falsch", "i", error="anders"), flows="m_start > i > m_ende; falsch > m_ende"
    )
    xml = d.bpmn(
        d.error("abgelehnt"),
        d.error("anders"),
        d.process(
            middle,
            d.boundary("richtig", "m", error="abgelehnt"),
            d.user("a"),
            flows="start > m > ende; richtig > a > ende",
        ),
    )
    play = Play(xml).do("tief")
    assert play.waits == ["a"]
    assert "m" not in play.passed
    play = Play(xml).fail("op", "abgelehnt")
    assert play.waits == ["a"]
    assert play.effects[0] == CloseTask(play.effects[0].token)
    assert Play(xml).fail("op", "anders").waits == []


# --------------------------------------------------------------------------------------- subprocesses, calls


def test_subprocess_shares_variables_and_ends_when_all_inside_ended() -> None:
    inner = d.sub(
        "s",
        d.parallel("g"),
        d.user("a", d.extensions(outputs={"x": "result.x"})),
        d.user("b"),
        flows="s_start > g > a > s_ende; g > b > s_ende",
    )
    play = Play(
        d.bpmn(d.process(inner, d.user("danach"), flows="start > s > danach > ende")), variables={"x": 0}
    )
    assert play.do("a", {"x": 7}).waits == ["b"]
    assert play.do("b").waits == ["danach"]
    assert play.variables == {"x": Decimal(7)}
    assert play.state["s"].keys() == {"0"}


def test_call_passes_only_arguments_and_outputs() -> None:
    called = d.process(
        d.start("q_start"),
        d.script("doppelt", "y = x * 2\ngeheim = 1"),
        d.user("u"),
        d.end("q_ende"),
        flows="q_start > doppelt > u > q_ende",
        id="q",
    )
    call = d.call("ruf", "q", d.extensions({"x": "zahl + antrag.plus"}, {"ergebnis": "result.y"}))
    play = Play(
        d.bpmn(d.process(call, d.user("danach"), flows="start > ruf > danach > ende"), called),
        variables={"zahl": 4},
        data={"antrag": {"plus": 1}},
    )
    assert play.waits == ["u"]
    play.do("u")
    assert play.waits == ["danach"]
    assert play.variables == {"zahl": 4, "ergebnis": Decimal(10)}
    assert play.definition.main == "p"


def test_called_process_sees_no_variable_of_its_caller() -> None:
    called = d.process(
        d.start("q_start"), d.script("s", "y = zahl"), d.end("q_ende"), flows="q_start > s > q_ende", id="q"
    )
    with pytest.raises(StepFailed):
        Play(d.bpmn(d.process(d.call("ruf", "q"), flows="start > ruf > ende"), called), variables={"zahl": 4})


# ------------------------------------------------------------------------------------------ many instances


def test_parallel_instances_gather_in_the_order_of_the_collection() -> None:
    task = d.user(
        "stellungnahme",
        d.extensions({"an": "stelle"}, {"voten": "result.votum"}) + d.repeat("stellen", "stelle"),
    )
    play = Play(
        d.bpmn(d.process(task, d.user("danach"), flows="start > stellungnahme > danach > ende")),
        variables={"stellen": ["A", "B", "C"]},
    )
    assert [effect.arguments for effect in play.effects] == [{"an": "A"}, {"an": "B"}, {"an": "C"}]
    tokens = [effect.token for effect in play.effects]
    for token, vote in ((tokens[2], "ja"), (tokens[0], "nein")):
        play.send(TaskCompleted(token, {"votum": vote}))
    assert play.waits == ["stellungnahme"]
    play.send(TaskCompleted(tokens[1], {"votum": Decimal("1.50")}))
    assert play.variables == {"stellen": ["A", "B", "C"], "voten": ["nein", Decimal("1.50"), "ja"]}
    assert play.waits == ["danach"]


def test_sequential_instances_come_one_after_the_other() -> None:
    task = d.service(
        "buchen",
        "x",
        d.extensions({"posten": "posten"}, {"nummern": "result"})
        + d.repeat("liste", "posten", sequential=True),
    )
    play = Play(
        d.bpmn(d.process(task, flows="start > buchen > ende")),
        variables={"liste": [Decimal("1.10"), Decimal("2.20")]},
    )
    assert [effect.arguments for effect in play.effects] == [{"posten": Decimal("1.10")}]
    play.do("buchen", "n1")
    assert [effect.arguments for effect in play.effects] == [{"posten": Decimal("2.20")}]
    play.do("buchen", "n2")
    assert (play.ended, play.variables["nummern"]) == (Ended("completed"), ["n1", "n2"])


@pytest.mark.parametrize("sequential", [False, True])
def test_instances_of_a_subprocess_keep_their_variables_apart(sequential: bool) -> None:
    inner = d.sub(
        "s",
        d.script("rechnen", "doppelt = zahl * 2"),
        d.user("u"),
        flows="s_start > rechnen > u > s_ende",
        inner=d.extensions(outputs={"alle": "doppelt"}) + d.repeat("zahlen", "zahl", sequential=sequential),
    )
    play = Play(d.bpmn(d.process(inner, flows="start > s > ende")), variables={"zahlen": [1, 2, 3]})
    while play.ended is None:
        play.do("u", number=len(play.open) - 1)
    assert play.variables == {"zahlen": [1, 2, 3], "alle": [Decimal(2), Decimal(4), Decimal(6)]}


def test_instances_of_a_call_and_of_a_business_rule() -> None:
    class Table:
        def evaluate(self, names: dict[str, Decimal]) -> Decimal:
            return names["zahl"] + 1

    called = d.process(
        d.start("q_start"), d.script("s", "y = x * x"), d.end("q_ende"), flows="q_start > s > q_ende", id="q"
    )
    call = d.call(
        "ruf", "q", d.extensions({"x": "zahl"}, {"quadrate": "result.y"}) + d.repeat("zahlen", "zahl")
    )
    rule = d.rule("regel", "t", "mehr", d.repeat("zahlen", "zahl", sequential=True))
    xml = d.bpmn(d.process(call, rule, flows="start > ruf > regel > ende"), called)
    play = Play(xml, variables={"zahlen": [Decimal(2), Decimal(3)]}, compile={"decisions": {"t": Table()}})
    assert play.ended == Ended("completed")
    assert play.variables["quadrate"] == [4, 9]
    assert play.variables["mehr"] == [3, 4]


@pytest.mark.parametrize("sequential", [False, True])
def test_no_instances_at_all(sequential: bool) -> None:
    task = d.user("t", d.extensions(outputs={"voten": "result.x"}) + d.repeat("[]", sequential=sequential))
    play = Play(d.bpmn(d.process(task, d.boundary("f", "t", timer=HOUR), flows="start > t > ende; f > ende")))
    assert (play.ended, play.variables) == (Ended("completed"), {"voten": []})


def test_boundary_event_ends_all_instances() -> None:
    task = d.user("t", d.repeat("[1, 2, 3]", sequential=False))
    xml = d.bpmn(
        d.process(
            task,
            d.boundary("frist", "t", timer=HOUR),
            d.user("spaet"),
            flows="start > t > ende; frist > spaet > ende",
        )
    )
    play = Play(xml)
    assert play.waits == ["frist", "t", "t", "t"]
    play.do("t").do("frist")
    assert play.waits == ["spaet"]
    assert play.state["s"].keys() == {"0"}


def test_error_in_one_instance_is_caught_for_all() -> None:
    task = d.service("t", inner=d.repeat("[1, 2]"))
    xml = d.bpmn(
        d.process(task, d.boundary("f", "t", error=""), d.user("a"), flows="start > t > ende; f > a > ende")
    )
    assert Play(xml).fail("t", "x").waits == ["a"]


@pytest.mark.parametrize("value", ["text", 3, None, {"a": 1}, list(range(1001))])
def test_collection_must_be_a_list_of_bearable_length(value: object) -> None:
    xml = d.bpmn(d.process(d.user("t", d.repeat("antrag.liste")), flows="start > t > ende"))
    with pytest.raises(StepFailed):
        Play(xml, data={"antrag": {"liste": value}})


def test_instances_within_instances() -> None:
    inner = d.user(
        "t", d.extensions({"wer": "wer", "was": "was"}, {"innen": "result.n"}) + d.repeat('["x", "y"]', "was")
    )
    outer = d.sub(
        "s",
        inner,
        flows="s_start > t > s_ende",
        inner=d.extensions(outputs={"aussen": "innen"}) + d.repeat('["A", "B"]', "wer"),
    )
    play = Play(d.bpmn(d.process(outer, flows="start > s > ende")))
    assert [tuple(effect.arguments.values()) for effect in play.effects] == [
        ("A", "x"),
        ("A", "y"),
        ("B", "x"),
        ("B", "y"),
    ]
    for number, token in enumerate(list(play.open)):
        play.send(TaskCompleted(token, {"n": number}))
    assert play.variables == {"aussen": [[0, 1], [2, 3]]}


# ---------------------------------------------------------------------------------------------- long running


def test_a_long_loop_does_not_grow_the_state() -> None:
    xml = d.bpmn(
        d.process(
            d.exclusive("vor"),
            d.user("t", d.extensions(outputs={"ok": "result.ok", "n": "result.n"})),
            d.exclusive("gut"),
            flows="start > vor > t > gut >{ok} ende; gut >* vor",
        )
    )
    play = Play(xml)
    sizes = []
    for round_ in range(200):
        play.do("t", {"ok": False, "n": Decimal("1.5")})
        sizes.append(len(str(play.state)))
        play.log.clear()
        assert play.waits == ["t"], round_
    assert max(sizes) - min(sizes) <= 4  # the digits of the next token


def test_variables_have_a_limit() -> None:
    xml = d.bpmn(
        d.process(
            d.user("t", d.extensions(outputs={"x": "result.x"})), d.user("u"), flows="start > t > u > ende"
        )
    )
    with pytest.raises(StepFailed, match="zu groß"):
        Play(xml).do("t", {"x": "lang" * 10_000})
    for bad in ("null\x00", "\ud800", float("nan"), object(), {1: 2}):
        with pytest.raises(StepFailed):
            Play(xml).do("t", {"x": bad})


def test_an_endless_loop_that_got_past_the_check_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    xml = d.bpmn(
        d.process(
            d.exclusive("a"),
            d.script("s", "n = 1"),
            d.exclusive("b"),
            flows="start > a > s > b >{False} ende; b >* a",
        )
    )
    monkeypatch.setattr("rathaus.engine.workflow.compile.check_graph", lambda *_: None)
    definition = compile_bpmn(xml)
    with pytest.raises(LoopLimit):
        start(definition, now=NOW)
    assert machine.STEPS_AT_MOST <= 10_000

"""Who gets in: which bodies are events, and what of them is kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from watersmeet.federation.openlineage import Limits, Refused, admit, scrub

from .openlineage_events import KEY, PG, RUN, body, facet, projected, records, run_event, table, taken


def refused(raw: bytes, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        admit(raw, key=KEY, **options)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"", "$"),
        (b"   ", "$"),
        (b"{not json", "$"),
        (b"\xff\xfe{}", "$"),
        (b"[]", "$"),
        (b'"text"', "$"),
        (b'{"a": NaN}', "$"),
        (b'{"a": -Infinity}', "$"),
        (b'{"a": 1e999}', "$"),
        (b'{"a": "\\ud800", "b": NaN}', "$"),
        (b'{"a": "\\ud800", "b": 1e999}', "$"),
        (b'{"a": "\x00"}', "$"),
        (b"[" * 100_000, "$"),
        (b'{"a": "\\ud800", "b": ' + b"[" * 100_000, "$"),
    ],
)
def test_what_is_no_json_object_is_refused(raw: bytes, path: str) -> None:
    """OpenLineage, receive check 5: malformed JSON, non-objects, NaN, NUL, 100,000 levels of nesting."""
    error = refused(raw)
    assert (error.status, error.path) == (400, path)


@pytest.mark.parametrize(
    "facets",
    [
        lambda deep: {"environmentVariables": facet(environmentVariables={"A": deep})},
        lambda deep: {"x": facet(password=deep)},
        lambda deep: {"x": facet(parameters=[{"name": "secret", "value": deep}])},
    ],
)
def test_nesting_within_what_is_cut_has_the_same_limit(facets: Any) -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    error = refused(body(run_event(run_facets=facets(deep))))
    assert (error.status, "nested deeper than" in error.reason) == (400, True)


def test_nesting_has_a_limit_of_its_own() -> None:
    """OpenLineage, receive check 5."""
    deep: Any = "bottom"
    for _ in range(300):
        deep = {"a": deep}
    error = refused(body(run_event(run_facets={"x": deep})))
    assert error.status == 400
    assert error.path.startswith("$.run.facets.x.a.a")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"job": None}, "$.job"),
        ({"job": {"namespace": "a"}}, "$.job.name"),
        ({"job": {"name": "a"}}, "$.job.namespace"),
        ({"job": {"namespace": "a", "name": ""}}, "$.job.name"),
        ({"job": {"namespace": 1, "name": "a"}}, "$.job.namespace"),
        ({"job": "marts"}, "$.job"),
        ({"run": {}}, "$.run.runId"),
        ({"run": {"runId": None}}, "$.run.runId"),
        ({"run": "r1"}, "$.run"),
        ({"run": None}, "$.run"),
        ({"inputs": {}}, "$.inputs"),
        ({"inputs": [{"namespace": "a"}]}, "$.inputs[0].name"),
        ({"outputs": [table("t"), "t"]}, "$.outputs[1]"),
        ({"run": None, "job": None, "dataset": {"namespace": "a"}}, "$.dataset.name"),
    ],
)
def test_an_event_that_can_never_be_right_is_refused_with_the_place_that_is_wrong(change: Any, path: str) -> None:
    """OpenLineage, receive check 5. OpenLineage, receive check 6. OpenLineage, receive check 7: `no_run_id`."""
    error = refused(body({**run_event(), **change}))
    assert (error.status, error.path) == (422, path)
    assert error.reason


def test_an_event_of_nothing_says_what_it_lacks() -> None:
    error = refused(body({"eventTime": "2026-01-01T00:00:00Z", "schemaURL": "…#/definitions/JobEvent"}))
    assert error.reason == "a JobEvent without job"


@pytest.mark.parametrize(
    ("event", "entity"),
    [
        (run_event(), f"run/{RUN}"),
        (run_event(run=RUN.upper()), f"run/{RUN}"),
        ({**run_event(), "schemaURL": "…#/$defs/JobEvent"}, f"run/{RUN}"),
        ({**run_event(None), "run": None}, "job/prod/marts"),
        ({**run_event(), "run": None, "schemaURL": "…#/$defs/JobEvent"}, "job/prod/marts"),
        ({"job": {"namespace": "prod", "name": "marts"}, "dataset": table("db.s.t")}, f"dataset/{PG}/db.s.t"),
        ({"dataset": table("t", namespace="s3a://lake")}, "dataset/s3://lake/t"),
        ({"dataset": table("/x/", namespace="file")}, "dataset/file//x"),
    ],
)
def test_an_event_is_of_what_its_shape_says(event: Any, entity: str) -> None:
    assert taken(event).entity == entity


def test_a_run_id_that_is_no_uuid_becomes_what_marquez_makes_of_it() -> None:
    """OpenLineage, receive check 10."""
    admitted = taken(run_event(run="run_id", producer="producer", schemaURL=None))
    assert admitted.entity == "run/0acf093b-3c88-3560-8dc6-22a33921d360"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456+00:00"),
        ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000+00:00"),
        ("2026-01-02T03:04:05Z[UTC]", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05+02:00[Europe/Paris]", "2026-01-02T01:04:05+00:00"),
        ("2026-01-02T03:04:05+0530", "2026-01-01T21:34:05+00:00"),
        ("2026-01-02T03:04:05-08", "2026-01-02T11:04:05+00:00"),
        ("2026-01-02T03:04Z", "2026-01-02T03:04:00+00:00"),
        ("2026-01-02", "2026-01-02T00:00:00+00:00"),
    ],
)
def test_times_are_understood_however_they_are_written(text: str, time: str) -> None:
    """OpenLineage, receive check 10."""
    admitted = taken(run_event(eventTime=text))
    assert admitted.event_time == datetime.fromisoformat(time)
    assert admitted.warnings == ()


@pytest.mark.parametrize("text", [None, "yesterday", 1767225600000, "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_a_time_that_is_none_counts_as_not_told_and_is_kept(text: object) -> None:
    admitted = taken(run_event(eventTime=text))
    assert admitted.event_time is None
    assert [warning.path for warning in admitted.warnings] == ["$.eventTime"]
    assert orjson.loads(admitted.body)["eventTime"] == text


def test_a_time_too_far_ahead_counts_as_not_told_also_when_it_has_come() -> None:
    now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    ahead = admit(body(run_event(eventTime="2026-03-02T09:59:00Z")), key=KEY, now=now)
    too_far = admit(body(run_event(eventTime="2026-03-02T10:01:00Z")), key=KEY, now=now)
    assert ahead.event_time == now + timedelta(hours=23, minutes=59)
    assert too_far.event_time is None
    [scope] = projected(run_event()).scopes
    assert scope.stated_at is not None
    from watersmeet.federation.openlineage import project

    [undated] = project(too_far.entity, [too_far.body]).scopes
    assert undated.stated_at is None


def test_a_mark_of_byte_order_is_no_letter() -> None:
    assert admit(b"\xef\xbb\xbf" + body(run_event()), key=KEY).entity == f"run/{RUN}"


def test_characters_that_no_database_takes_are_escaped() -> None:
    raw = body(run_event(run_facets={"x": facet(text="PLACE", PLACE=1)})).replace(b"PLACE", b"a\\u0000b\\ud800c")
    kept = orjson.loads(admit(raw, key=KEY).body)
    assert kept["run"]["facets"]["x"]["text"] == "a\\u0000b\\ud800c"
    assert "a\\u0000b\\ud800c" in kept["run"]["facets"]["x"]


def test_unknown_members_and_facets_are_kept_as_they_are() -> None:
    """OpenLineage, receive check 9."""
    strange = facet(list=[1, 2.5, None, {"deep": [True]}], text="Größe 注文", number=10**15, _deleted=False)
    event = run_event(run_facets={"acme_strange": strange}, somethingElse={"a": [1]})
    assert orjson.loads(taken(event).body) == event
    [scope] = projected(event).scopes
    assert records(scope)[f"run:{RUN}"].facets["acme_strange"] == strange


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"run": {"runId": RUN, "facets": {"parent": "p"}}}, "$.run.facets.parent"),
        ({"run": {"runId": RUN, "facets": [1]}}, "$.run.facets"),
        ({"job": {"namespace": "a", "name": "b", "facets": {"sql": {"query": 5}}}}, "$.job.facets.sql"),
        ({"outputs": [table("t", {"schema": facet(fields="none")})]}, "$.outputs[0].facets.schema"),
        ({"inputs": [table("t", inputFacets={"x": 1})]}, "$.inputs[0].inputFacets.x"),
        (
            {"outputs": [table("t", outputFacets={"outputStatistics": []})]},
            "$.outputs[0].outputFacets.outputStatistics",
        ),
    ],
)
def test_a_bad_facet_is_kept_aside_and_the_event_taken(change: Any, path: str) -> None:
    """OpenLineage, receive check 7: in strict mode it is refused."""
    event = {**run_event(), **change}
    admitted = taken(event)
    assert [warning.path for warning in admitted.warnings] == [path]
    projection = projected(event)
    assert [skipped.lost for skipped in projection.skipped] == [False]
    assert path in projection.skipped[0].reason
    assert path in records(projection.scopes[0])[f"run:{RUN}"].facets["quarantined"]
    error = refused(body(event), limits=Limits(strict=True))
    assert (error.status, error.path) == (422, path)


def test_a_null_facet_is_an_absent_one() -> None:
    event = run_event(run_facets={"parent": None}, inputs=[table("t", {"schema": None}, inputFacets=None)])
    assert taken(event).warnings == ()
    assert projected(event).skipped == ()


def test_the_same_event_in_other_letters_is_the_same_event_and_its_hash_needs_the_key() -> None:
    event = run_event(inputs=[table("t")])
    again = json.dumps(dict(reversed(event.items())), indent=3, ensure_ascii=False).encode()
    assert admit(again, key=KEY).hash == taken(event).hash
    assert admit(again, key=b"another").hash != taken(event).hash
    assert taken(run_event(minute=6, inputs=[table("t")])).hash != taken(event).hash


def test_a_retry_is_recognised_by_what_arrived_and_not_by_what_was_kept() -> None:
    one, other = (run_event(run_facets={"x": facet(password=text)}) for text in ("a", "b"))
    assert taken(one).body == taken(other).body
    assert taken(one).hash != taken(other).hash


# Secrets

CUT = "[redacted: value of a secret]"
WHO = "[redacted: credentials]"


def kept(event: Any) -> Any:
    return orjson.loads(taken(event).body)


def test_environment_variables_keep_their_names_only() -> None:
    variables = [{"name": "STAGE", "value": "prod"}, {"name": "API_TOKEN", "value": "not-a-real-token"}]
    event = run_event(run_facets={"environmentVariables": facet(environmentVariables=variables)})
    told = kept(event)["run"]["facets"]["environmentVariables"]["environmentVariables"]
    assert told == [{"name": name, "value": "[redacted: environment variable]"} for name in ("STAGE", "API_TOKEN")]
    assert [cut.path for cut in taken(event).cuts] == [
        f"$.run.facets.environmentVariables.environmentVariables[{number}].value" for number in (0, 1)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://app:s3cret@db:5432/shop", f"postgres://{WHO}@db:5432/shop"),
        ("postgres://app:p/w@db/shop", f"postgres://{WHO}@db/shop"),
        ("amqp://u:p@ss@host/", f"amqp://{WHO}@host/"),
        ("https://ghp@github.com/acme/x.git", f"https://{WHO}@github.com/acme/x.git"),
        ("abfss://container@account.dfs.core.windows.net/x", None),
        ("ssh://git@github.com/acme/x", None),
        ("http://host:8080/a@b", None),
        ("jdbc:mysql://h/db?user=a&password=s3cret&x=1", f"jdbc:mysql://h/db?user=a&password={CUT}&x=1"),
        (
            "jdbc:sqlserver://h;user=a;password=s3cret;encrypt=true",
            f"jdbc:sqlserver://h;user=a;password={CUT};encrypt=true",
        ),
        ("https://b/x?X-Amz-Signature=s3cret&y=1", f"https://b/x?X-Amz-Signature={CUT}&y=1"),
        ("https://b/x?sv=1&sig=s3cret", f"https://b/x?sv=1&sig={CUT}"),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {WHO}"),
        (
            "spark-submit --conf spark.hadoop.fs.s3a.secret.key=S3 a.py",
            f"spark-submit --conf spark.hadoop.fs.s3a.secret.key={CUT} a.py",
        ),
        ("run --password s3cret --verbose", f"run --password {CUT} --verbose"),
        ("create user a identified by 's3cret'", f"create user a identified by {WHO}"),
        ("select * from a join b on a.token = b.token where n = 5", None),
        ("max_tokens=100", None),
        ("AKIAIOSFODNN7EXAMPLE is here", "[redacted: looks like a secret] is here"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[redacted: looks like a secret]"),
    ],
)
def test_texts_lose_what_their_form_gives_away(text: str, expected: str | None) -> None:
    told = kept(run_event(run_facets={"x": facet(text=text)}))["run"]["facets"]["x"]["text"]
    assert told == (text if expected is None else expected)


def test_what_is_named_like_a_secret_is_cut_at_any_depth_and_what_only_sounds_like_one_is_kept() -> None:
    bad = {
        "password": "x",
        "apiKey": "x",
        "client_secret": 5,
        "s3.access.key": "x",
        "authToken": "x",
        "apiTokens": ["a"],
    }
    good = {"tokens": 512, "max_tokens": "512", "primaryKey": "id", "token_count": 3, "author": "ada", "pass": True}
    told = kept(run_event(run_facets={"x": facet(a=[{"b": {**bad, **good}}])}))["run"]["facets"]["x"]["a"][0]["b"]
    assert {name: told[name] for name in bad} == dict.fromkeys(bad, "[redacted: named like a secret]")
    assert {name: told[name] for name in good} == good


def test_a_pair_of_name_and_value_is_cut_by_its_name() -> None:
    told = kept(
        run_event(
            run_facets={"x": facet(parameters=[{"key": "db_password", "value": "x"}, {"key": "depth", "value": "6"}])}
        )
    )
    values = [one["value"] for one in told["run"]["facets"]["x"]["parameters"]]
    assert values == ["[redacted: value of a secret]", "6"]


def test_a_column_may_be_called_password() -> None:
    lineage = {"columnLineage": facet(fields={"password": {"inputFields": [table("u") | {"field": "password"}]}})}
    schema = {"schema": facet(fields=[{"name": "password", "type": "text"}])}
    event = run_event(inputs=[table("u")], outputs=[table("t", {**lineage, **schema})])
    assert kept(event)["outputs"] == event["outputs"]
    assert taken(event).cuts == ()


def test_credentials_in_names_do_not_change_which_dataset_is_meant() -> None:
    with_password = run_event(outputs=[table("db.s.t", namespace="postgres://app:s3cret@db:5432")])
    assert b"s3cret" not in taken(with_password).body
    assert f"{PG}/db.s.t" in records(projected(with_password).scopes[0])


def test_a_body_that_cannot_be_taken_is_scrubbed_as_text() -> None:
    broken = (
        b'{"environmentVariables": [{"name":"A","value":"s3]cret"}], "password": "s3\\"cret", "u": "pg://a:s3cret@h/", '
    )
    scrubbed = scrub(broken)
    assert b"cret" not in scrubbed.replace(b"a secret", b"")
    assert scrubbed.count(b"[redacted: ") == 3


def test_a_body_that_is_json_is_scrubbed_as_json() -> None:
    assert orjson.loads(scrub(b'{"job": {"token": "x"}}')) == {"job": {"token": "[redacted: named like a secret]"}}
    assert scrub(b'\xff{"token": "x"').count(b"[redacted: ") == 1


def test_baits_in_recorded_events_are_caught(shared: Path) -> None:
    client = (shared / "data" / "emitters" / "python_client.ndjson").read_text().splitlines()
    bodies = [taken(json.loads(line)["body"]).body for line in client]
    assert not [one for one in bodies if b"not-a-real-token" in one]
    sent = json.loads((shared / "data" / "marquez-real" / "sent_events.json").read_text())
    assert b"not-a-secret" in json.dumps(sent).encode()
    assert b"not-a-secret" not in scrub(json.dumps(sent).encode())
    torn = json.dumps(sent).encode()[:-5]
    assert b"not-a-secret" not in scrub(torn)


def test_a_large_event_is_taken_in_reasonable_time() -> None:
    """OpenLineage, receive check 8, as far as it concerns this floor: 77,700 column edges in one event."""
    fields = {f"c{n}": {"inputFields": [table(f"i{n % 7}") | {"field": f"c{n}"}]} for n in range(300)}
    event = run_event(outputs=[table(f"o{n}", {"columnLineage": facet(fields=fields)}) for n in range(60)])
    started = datetime.now(UTC)
    assert taken(event).cuts == ()
    assert (datetime.now(UTC) - started).total_seconds() < 20

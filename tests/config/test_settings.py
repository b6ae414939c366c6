"""Settings are read from a file and the environment, and everything wrong with them is told at once."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from watersmeet.config.settings import DEMO, Misconfigured, Settings, Source, load, problems

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts a configuration into a file of its own."""

    def _write(text: str) -> Path:
        path = tmp_path / "watersmeet.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def told(path: Path, **environ: str) -> list[tuple[str, str]]:
    """Where each problem is, as the part of its place after the folder, and its key."""
    return [(problem.place.rpartition("/")[2], problem.key) for problem in problems(path, environ)]


def only(path: Path, **environ: str) -> str:
    """The one problem there is, in its full words."""
    (problem,) = problems(path, environ)
    return str(problem)


SOURCE = "sources: [{name: tracking, platform: mlflow, url: 'http://127.0.0.1:5000'%s}]"


class TestFinding:
    def test_the_named_file_wins_over_the_environment(self, write: Write, tmp_path: Path):
        named = write("server: {port: 1234}")
        other = tmp_path / "other.yaml"
        other.write_text("server: {port: 4321}")
        settings = load(named, {"WATERSMEET_CONFIG": str(other)})
        assert settings.server.port == 1234
        assert settings.path == named

    def test_the_environment_wins_over_the_working_folder(
        self, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        write("server: {port: 1234}")
        other = tmp_path / "other.yaml"
        other.write_text("server: {port: 4321}")
        monkeypatch.chdir(tmp_path)
        assert load(None, {}).server.port == 1234
        assert load(None, {"WATERSMEET_CONFIG": str(other)}).server.port == 4321

    def test_without_any_file_the_places_looked_are_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(Misconfigured, match=r"--config .*\$WATERSMEET_CONFIG .*\./watersmeet\.yaml \(absent\)"):
            load(None, {})

    def test_a_store_from_the_environment_needs_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        settings = load(None, {"WATERSMEET_STORE__URL": "sqlite:///here.db"})
        assert settings.store.url == f"sqlite:///{tmp_path}/here.db"
        assert settings.path is None

    def test_a_named_file_that_is_not_there_is_told(self, tmp_path: Path):
        with pytest.raises(Misconfigured, match=r"nowhere\.yaml does not exist"):
            load(tmp_path / "nowhere.yaml", {})
        with pytest.raises(Misconfigured, match=r"WATERSMEET_CONFIG: .*is a folder"):
            load(None, {"WATERSMEET_CONFIG": str(tmp_path)})

    def test_an_empty_file_means_the_defaults(self, write: Write, tmp_path: Path):
        settings = load(write("# nothing yet\n"), {})
        assert settings.store.url == f"sqlite:///{tmp_path}/watersmeet.db"
        assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8765)
        assert settings.inlet.id == "inlet"
        assert settings.sources == ()


class TestReading:
    def test_the_order_of_sources_is_kept(self, write: Write):
        settings = load(
            write("""
sources:
  - {name: b, platform: mlflow, url: "http://127.0.0.1:1/"}
  - {name: a, id: first-name, platform: openlineage, path: ./events}
"""),
            {},
        )
        assert [(source.name, source.id) for source in settings.sources] == [("b", "b"), ("a", "first-name")]
        assert settings.sources[0].url == "http://127.0.0.1:1"

    def test_relative_paths_start_from_the_folder_of_the_file(self, write: Write, tmp_path: Path):
        settings = load(
            write("""
store: {url: "sqlite:///data/w.db?timeout=5"}
sources:
  - {name: a, platform: openlineage, path: ./events}
  - {name: b, platform: mlflow, url: "sqlite:///mlflow.db"}
  - {name: c, platform: mlflow, url: "sqlite:////var/lib/mlflow.db"}
"""),
            {},
        )
        assert settings.store.url == f"sqlite:///{tmp_path}/data/w.db?timeout=5"
        assert settings.sources[0].path == tmp_path / "events"
        assert settings.sources[1].url == f"sqlite:///{tmp_path}/mlflow.db"
        assert settings.sources[2].url == "sqlite:////var/lib/mlflow.db"

    def test_variables_are_filled_in_from_the_environment(self, write: Write):
        path = write(
            SOURCE % ", token: '${TOKEN}', include: ['$${X}', '${PATTERN:-all*}']" + "\nserver: {port: '${PORT}'}"
        )
        settings = load(path, {"TOKEN": "s3cret", "PORT": "99"})
        token = settings.sources[0].secret_token()
        assert token is not None
        assert token.get_secret_value() == "s3cret"
        assert settings.sources[0].include == ("${X}", "all*")
        assert settings.server.port == 99

    def test_a_missing_variable_is_named_with_its_line(self, write: Write):
        assert only(write("\n" + SOURCE % ", token: '${TOKEN}'")).endswith(
            "watersmeet.yaml:2: sources[0].token needs the environment variable TOKEN, which is not set or empty. "
            "For example: export TOKEN=…"
        )

    def test_the_http_of_a_source_differs_only_where_it_says_so(self, write: Write):
        settings = load(write("http: {timeout: 1m, retries: 2}\n" + SOURCE % ", http: {timeout: 90s}"), {})
        assert settings.sources[0].http.timeout == timedelta(seconds=90)
        assert settings.sources[0].http.retries == 2

    def test_sizes_and_lists_have_a_short_form(self, write: Write):
        settings = load(write("inlet: {wire_bytes: 2 MB}\n" + SOURCE % ", include: 'a*, b*'"), {})
        assert settings.inlet.wire_bytes == 2_000_000
        assert settings.sources[0].include == ("a*", "b*")

    def test_anchors_and_merges_of_yaml_work(self, write: Write):
        settings = load(
            write("""
sources:
  - &one {name: a, platform: mlflow, url: "http://127.0.0.1:1", exclude: [x]}
  - &two {<<: *one, name: b, http: &patient {timeout: 5m}}
http: *patient
"""),
            {},
        )
        assert [source.exclude for source in settings.sources] == [("x",), ("x",)]
        assert settings.http.timeout == timedelta(minutes=5)

    def test_the_demo_is_filled_with_addresses_when_it_runs(self, tmp_path: Path):
        environ = {
            "DEMO_STORE": str(tmp_path / "demo.db"),
            "TRACKING_URL": "http://127.0.0.1:5001",
            "PIPELINES_URL": "http://127.0.0.1:5002",
            "CATALOG_URL": "http://127.0.0.1:5003",
            "EXPERIMENTS_URL": "http://127.0.0.1:5004",
            "EXPERIMENTS_FILES": "http://127.0.0.1:5005",
            "EXPERIMENTS_KEY": "k" * 40,
        }
        settings = load(DEMO, environ)
        assert [(source.name, source.platform) for source in settings.sources] == [
            ("tracking", "mlflow"),
            ("pipelines", "marquez"),
            ("catalog", "datahub"),
            ("experiments", "wandb"),
        ]
        assert settings.store.url == f"sqlite:///{tmp_path}/demo.db"


class TestOverriding:
    def test_the_environment_speaks_last(self, write: Write):
        path = write("server: {port: 1, limits: {depth: 3}}\n" + SOURCE % "")
        settings = load(
            path,
            {
                "WATERSMEET_SERVER__PORT": "2",
                "WATERSMEET_SERVER__LIMITS__INTROSPECTION": "false",
                "WATERSMEET_SERVER__ALLOWED_HOSTS": "one.test, two.test:80",
                "WATERSMEET_SOURCES__TRACKING__TOKEN": "[not yaml: {",
                "WATERSMEET_SOURCES__0__HTTP__RETRIES": "1",
            },
        )
        assert settings.server.port == 2
        assert settings.server.limits.depth == 3
        assert settings.server.limits.introspection is False
        assert settings.server.allowed_hosts == ("one.test", "two.test:80")
        token = settings.sources[0].token
        assert token is not None
        assert token.get_secret_value() == "[not yaml: {"
        assert settings.sources[0].http.retries == 1

    def test_a_wrong_value_is_blamed_on_its_variable(self, write: Write):
        assert only(write("server: {port: 1}"), WATERSMEET_SERVER__PORT="many").startswith(
            "environment variable WATERSMEET_SERVER__PORT: server.port should be a valid integer"
        )

    def test_an_override_mends_what_the_file_could_not_fill(self, write: Write):
        path = write(SOURCE % ", token: '${TOKEN}'")
        assert load(path, {"WATERSMEET_SOURCES__TRACKING__TOKEN": "x"}).sources[0].token is not None

    @pytest.mark.parametrize(
        ("variable", "hint"),
        [
            (
                "WATERSMEET_SERVR__PORT",
                "'server'? For example: WATERSMEET_SERVER__PORT=…",
            ),
            ("WATERSMEET_SERVER__PRT", "server.prt is unknown; did you mean 'port'?"),
            ("WATERSMEET_SERVER_PORT", "is not read: two underscores lead from a key to the next"),
            ("WATERSMEET_SOURCES__TRACKIN__URL", "sources.trackin is unknown; did you mean 'tracking'?"),
            ("WATERSMEET_SOURCES__7__URL", "sources.7 is unknown; there are tracking"),
            ("WATERSMEET_SERVER__PORT__X", "server.port holds no keys"),
        ],
    )
    def test_a_misspelt_variable_is_told(self, write: Write, variable: str, hint: str):
        assert hint in only(write("server: {port: 1}\n" + SOURCE % ""), **{variable: "x"})

    def test_variables_that_are_no_settings_are_left_alone(self, write: Write):
        assert not told(write(""), WATERSMEET_REQUIRE_REAL="1", WATERSMEET_CONFIG="x", WATERSMEET_SPARK_HOME="y")


class TestComplaining:
    def test_everything_wrong_is_told_at_once_with_its_line(self, write: Write):
        path = write("""
store: {url: "mysql://db"}
server:
  port: 99999
  prot: 1
sources:
  - name: a b
    platform: mlflow
    schedule: every 5 fortnights
  - {name: twin, platform: mlflow, url: "http://127.0.0.1:1"}
  - {name: twin, platform: mlflow, path: ./x, token_file: t, token: t}
bindings:
  - {source: twim, platform: snowflake, authority: snowflake/prod}
""")
        assert told(path, WATERSMEET_HTTP__RETRIES="-1") == [
            ("watersmeet.yaml:2", "store.url"),
            ("watersmeet.yaml:4", "server.port"),
            ("watersmeet.yaml:5", "server.prot"),
            ("watersmeet.yaml:7", "sources[0].name"),
            ("watersmeet.yaml:7", "sources[0].url"),
            ("watersmeet.yaml:9", "sources[0].schedule"),
            ("watersmeet.yaml:11", "sources[2].token_file"),
            ("watersmeet.yaml:11", "sources[2].name"),
            ("watersmeet.yaml:13", "bindings[0].source"),
            ("watersmeet.yaml:13", "bindings[0].authority"),
            ("environment variable WATERSMEET_HTTP__RETRIES", "http.retries"),
        ]
        with pytest.raises(Misconfigured, match="10 things are wrong with the configuration"):
            load(path, {})

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("sorces: []", "sorces is unknown; did you mean 'sources'?"),
            ("queue: {}", "queue is unknown; there are authorities, bindings, http, inlet, server, sources, store"),
            ("server: 5", "server must be a mapping"),
            ("store: {url: 2026-13-45}", "store.url looks like a date or a number to YAML and is none"),
            ("store: {url: 12}", "store.url must be text: put it in quotes"),
            ("[]", "must be a mapping of keys to values"),
            ("server: {port: 1}\nserver: {port: 2}", ":2: server stands here again, first in line 1"),
            ("store: {url: 'postgres://u@h/db'}", "store.url is spelled postgresql://"),
            ("store: {url: 'postgresql://u@h'}", "store.url lacks the name of a database"),
            ("store: {url: 'sqlite://'}", "store.url needs a file"),
            ("store: {url: 'sqlite:///:memory:'}", "store.url needs a file"),
            (
                "server: {host: 0.0.0.0}",
                "server.host is reachable from other machines, and tokens would go",
            ),
            ("server: {host: 0.0.0.0, plaintext: false}", "server.host is reachable from other machines"),
            ("server: {tls: {key: ./k.pem}}", "server.tls.key needs a cert beside it"),
            ("server: {trusted_proxies: [proxy.acme.io]}", "an address or a network at place 1"),
            (
                "server: {trusted_proxies: 10.0.0.5, local_without_token: true}",
                "server.local_without_token lets in whatever comes through a proxy",
            ),
            ("server: {host: watersmeet.acme.io}", "server.host is reachable from other machines"),
            ("server: {allowed_hosts: ['http://a.test']}", "server.allowed_hosts has something else than a host"),
            ("server: {limits: {time: 20}}", "server.limits.time is a duration and needs its unit"),
            ("server: {limits: {time: 0s}}", "server.limits.time must be longer than nothing"),
            ("server: {limits: {depth: 0}}", "server.limits.depth should be greater than or equal to 1"),
            ("inlet: {wire_bytes: 4000, inflated_bytes: 2000}", "inlet.inflated_bytes is smaller than wire_bytes"),
            ("sources: [x]", "sources[0] must be a mapping"),
            ("sources: [{name: inlet, platform: mlflow, path: x}]", "sources[0].name is the same as inlet.name"),
            ("sources: [{name: a, platform: mlflow}]", "sources[0].url is missing, and path too"),
            ("sources: [{name: a, platform: MLflow, path: x}]", "sources[0].platform is a word in small letters"),
            ("sources: [{name: a, platform: mlflow, url: '127.0.0.1'}]", "sources[0].url lacks its scheme"),
            ("sources: [{name: a, platform: mlflow, url: 'http://'}]", "sources[0].url lacks its host"),
            ("sources: [{name: a, platform: mlflow, url: 'http://h:x'}]", "sources[0].url is not an address"),
            ("sources: [{name: a, platform: mlflow, url: 'http://a b'}]", "sources[0].url holds a blank"),
            (SOURCE % ", path: x", "sources[0].path stands beside url"),
            (SOURCE % ", password: x", "sources[0].password needs a username beside it"),
            (SOURCE % ", username: x", "sources[0].username needs a password or a password_file"),
            (SOURCE % ", token: x, username: u, password: p", "sources[0].username stands beside token"),
            (SOURCE % ", client_key: k.pem", "sources[0].client_key needs a client_cert"),
            (SOURCE % ", token: 0123", "sources[0].token is a number, a list or a date to YAML: put it in quotes"),
            (SOURCE % ", token: ' '", "sources[0].token is empty"),
            (SOURCE % ", include: ['']", "sources[0].include[0] is empty"),
            ("authorities: {acme: {}}", "authorities.acme is written system/name"),
            (
                "authorities: {s/a: {aliases: [x]}, s/b: {aliases: [X]}}",
                "authorities.s/b.aliases share an alias with s/a",
            ),
            ("bindings: [{authority: unknown}]", "bindings[0] names neither a source nor an openlineage namespace"),
            (
                "bindings: [{openlineage: 'a', authority: acme}]",
                "bindings[0].authority is written system/name, or unknown",
            ),
            (
                "bindings: [{openlineage: 'a', authority: s/x}]",
                "bindings[0].authority is not declared under authorities",
            ),
            ("bindings: [{platform: hive, authority: unknown}]", "bindings[0].source is missing: a platform belongs"),
            ("bindings: [{source: inlet, service: s, env: E, authority: unknown}]", "bindings[0].env needs a platform"),
            (
                "bindings: [{source: inlet, service: s, metastore: E, authority: unknown}]",
                "bindings[0].metastore stands",
            ),
        ],
    )
    def test_a_wrong_key_is_named_with_its_reason(self, write: Write, text: str, reason: str):
        assert reason in only(write(text))

    def test_two_ids_that_meet_are_told(self, write: Write):
        path = write("sources: [{name: a, platform: x, path: p}, {name: b, id: a, platform: x, path: p}]")
        assert "sources[1].id is the same as sources[0].name" in only(path)

    def test_one_alias_may_mean_two_authorities_of_two_systems(self, write: Write):
        assert not told(write("authorities: {kafka/a: {aliases: [x]}, postgres/a: {aliases: [x]}}"))

    def test_an_unreadable_yaml_is_told_with_its_line(self, write: Write):
        assert ":3 is not YAML" in only(write("store: {}\nserver: [\n"))

    def test_a_file_in_another_encoding_is_told(self, tmp_path: Path):
        path = tmp_path / "w.yaml"
        path.write_bytes("# ä".encode("latin-1"))
        assert "is not text in UTF-8" in only(path)


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            "hunter2x: 1",
            "server: {token=hunter2x: 1}",
            "server: {port: hunter2x}",
            "server: {host: hunter2x}",
            "server: {limits: {introspection: hunter2x}}",
            "store: {url: 'postgres://u:hunter2x@h/d'}",
            "store: {url: hunter2x}",
            "sources: [hunter2x]",
            SOURCE % ", tokn: hunter2x",
            SOURCE % ", token: hunter2x, password: hunter2x",
            SOURCE % ", token: [hunter2x]",
            SOURCE % ", password: *hunter2x",
            SOURCE % ", password: !hunter2x",
            SOURCE % ", password: @hunter2x",
            SOURCE % ", password: {{hunter2x}}",
            SOURCE % ", schedule: hunter2x",
            "sources: [{name: a, platform: mlflow, url: 'http://u:hunter2x@h'}]",
            "sources: [{name: a, platform: mlflow, url: 'http://h?token=hunter2x'}]",
        ],
    )
    def test_no_message_repeats_a_value(self, write: Write, text: str):
        path = write(text)
        with pytest.raises(Misconfigured) as caught:
            load(path, {"WATERSMEET_SERVER__LIMITS__DEPTH": "hunter2x"})
        assert "hunter2x" not in str(caught.value).replace("hunter2x is unknown", "")
        assert "hunter2x" not in repr(caught.value.__cause__)

    def test_neither_a_print_nor_the_redacted_view_shows_them(self, write: Write):
        path = write(
            "store: {url: 'postgresql://u:hunter2@h/d?sslpassword=hunter2'}\n"
            + SOURCE % ", token: hunter2, options: {auth: {api_key: hunter2}, header: 'https://u:hunter2@h', n: 1}"
        )
        settings = load(path, {})
        shown = json.dumps(settings.redacted())
        assert "hunter2" not in shown + repr(settings) + str(settings)
        assert settings.redacted()["store"]["url"] == "postgresql://u:***@h/d?sslpassword=***"
        assert settings.redacted()["sources"][0]["options"]["n"] == 1
        assert settings.redacted()["sources"][0]["token"] == "***"
        assert settings.store.url == "postgresql://u:hunter2@h/d?sslpassword=hunter2"

    def test_a_secret_in_a_file_is_read_at_each_use(self, write: Write, tmp_path: Path):
        source = load(write(SOURCE % ", token_file: ./token"), {}).sources[0]
        with pytest.raises(Misconfigured, match=r"source 'tracking': token_file .*token cannot be read: No such file"):
            source.secret_token()
        for text in ("first", "second"):
            (tmp_path / "token").write_text(f"{text}\n")
            token = source.secret_token()
            assert token is not None
            assert token.get_secret_value() == text
        (tmp_path / "token").write_text(" \n")
        with pytest.raises(Misconfigured, match="is empty"):
            source.secret_token()

    def test_a_password_in_a_file_is_read_at_each_use(self, write: Write, tmp_path: Path):
        source = load(write(SOURCE % ", username: u, password_file: ./secret"), {}).sources[0]
        (tmp_path / "secret").write_text("hunter2\n")
        password = source.secret_password()
        assert password is not None
        assert password.get_secret_value() == "hunter2"
        assert source.secret_token() is None


class TestMadeInCode:
    def test_settings_can_be_made_of_plain_values(self):
        settings = Settings.of({"sources": [{"name": "a", "platform": "mlflow", "url": "http://127.0.0.1:1"}]})
        assert settings.sources[0].id == "a"
        with pytest.raises(Misconfigured, match=r"demo: sources\[0\]\.nme is unknown; did you mean 'name'\?"):
            Settings.of({"sources": [{"nme": "a", "name": "a", "platform": "m", "path": "x"}]}, place="demo")

    def test_a_source_lets_through_what_is_included_and_not_excluded(self):
        source = Source(name="a", platform="mlflow", url="http://127.0.0.1:1", include=("churn*",), exclude=("*-old",))
        assert [name for name in ("churn", "churn-old", "Churn", "x") if source.selects(name)] == ["churn"]
        assert Source(name="a", platform="mlflow", url="http://127.0.0.1:1").selects("anything")

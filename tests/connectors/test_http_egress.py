"""Where no request of ours ever goes, whoever sends us there: a table of refusals, each seen on the wire."""

import socket
import threading
from collections.abc import Iterator, Mapping

import httpx2
import pytest
from pydantic import SecretStr

from watersmeet.config.settings import Misconfigured, Source
from watersmeet.connectors.http import Basic, Http, Redirected
from watersmeet.federation.errors import SourceRefused, SourceUnavailable

from .faults import FaultTransport, Sleeper

LOOPBACK = "127.0.0.1"
PUBLIC = "93.184.215.14"


def source(url: str = "https://lab.test/p", **more: object) -> Source:
    return Source.model_validate({"name": "lab", "platform": "marquez", "url": url, "http": {"retries": 0}, **more})


class Names:
    """DNS as we like it: each name has a list of answers, one a question; the last one stays."""

    def __init__(self, names: Mapping[str, list[list[str]]]) -> None:
        self._names = {name: list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    def __call__(self, name: str) -> list[str]:
        self.asked.append(name)
        if name not in self._names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self._names[name]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Door:
    """A listener on loopback that counts who comes, and answers them with JSON."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self.came = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.came += 1
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def door() -> Iterator[Door]:
    opened = Door()
    yield opened
    opened.close()


# What a platform may hand out, and why it is not fetched although `also` lists every host there is.
WRITTEN = [
    ("file:///etc/passwd", "not https"),
    ("ftp://files.test/k", "not https"),
    ("gopher://files.test:70/k", "not https"),
    ("data:text/plain,hello", "not https"),
    ("s3://bucket/key", "not https"),
    ("unix:///var/run/docker.sock", "not https"),
    ("http://files.test/k", "not https"),
    ("//files.test/k", "not https"),
    ("/relative/k", "not https"),
    ("https://user@files.test/k", "holds a user"),
    ("https://files.test:22/k", "port 22"),
    ("https://files.test:8443/k", "port 8443"),
    ("https://localhost/k", "this machine"),
    ("https://LOCALHOST./k", "this machine"),
    ("https://api.localhost/k", "this machine"),
    ("https://127.0.0.1/k", "this machine"),
    ("https://127.8.9.10/k", "this machine"),
    ("https://[::1]/k", "this machine"),
    ("https://[::ffff:127.0.0.1]/k", "this machine"),
    ("https://[64:ff9b::7f00:1]/k", "this machine"),
    ("https://[2002:7f00:1::]/k", "this machine"),
    ("https://0.0.0.0/k", "no single machine"),
    ("https://[::]/k", "no single machine"),
    ("https://224.0.0.1/k", "no single machine"),
    ("https://255.255.255.255/k", "no single machine"),
    ("https://169.254.169.254/latest/meta-data/", "metadata"),
    ("https://[::ffff:169.254.169.254]/latest", "metadata"),
    ("https://[fd00:ec2::254]/latest", "metadata"),
    ("https://[fe80::1]/k", "metadata"),
    ("https://100.100.100.200/latest", "metadata"),
    ("https://168.63.129.16/machine", "metadata"),
    ("https://metadata.google.internal/computeMetadata/v1/", "metadata"),
    ("https://metadata/computeMetadata/v1/", "metadata"),
    ("https://10.0.0.5/k", "private network"),
    ("https://172.16.3.4/k", "private network"),
    ("https://192.168.1.1/k", "private network"),
    ("https://100.64.0.9/k", "private network"),
    ("https://[fd12:3456::1]/k", "private network"),
    ("https://[::ffff:10.0.0.5]/k", "private network"),
]

# What a name that looks harmless may mean.
MEANT = [
    ([LOOPBACK], "this machine"),
    (["::1"], "this machine"),
    (["::ffff:127.0.0.1"], "this machine"),
    (["169.254.169.254"], "metadata"),
    (["fd00:ec2::254"], "metadata"),
    (["10.1.2.3"], "private network"),
    (["0.0.0.0"], "no single machine"),
    ([PUBLIC, LOOPBACK], "this machine"),
]

# What a source's own name may not mean either, whatever the settings say.
OWN = [
    (["169.254.169.254"], "metadata"),
    (["::ffff:169.254.169.254"], "metadata"),
    (["fd00:ec2::254"], "metadata"),
    (["0.0.0.0"], "no single machine"),
    (["239.1.1.1"], "no single machine"),
    ([PUBLIC, "169.254.169.254"], "metadata"),
]

# How an address may spell a number that a name server never saw; the operating system reads them all.
SPELLED = ["https://2130706433/k", "https://0x7f000001/k", "https://0177.0.0.1/k", "https://127.1/k"]


def test_the_table_holds_more_than_forty_cases():
    assert len({case[0] for case in WRITTEN}) + len(MEANT) + len(OWN) + len(SPELLED) > 40


@pytest.mark.parametrize(("url", "reason"), WRITTEN)
def test_an_address_that_leads_nowhere_good_is_not_asked(url: str, reason: str):
    asked = Names({"lab.test": [[PUBLIC]]})
    transport = FaultTransport(lambda request: httpx2.Response(200, content=b"never"))
    http = Http("https://lab.test", source="lab", also=["*"], transport=transport, resolve=asked)
    with pytest.raises(SourceRefused, match=reason):
        http.fetch(url)
    with pytest.raises(SourceRefused, match=reason):
        http.put(url, b"file", {})
    assert transport.requests == []


@pytest.mark.parametrize("url", ["https://files.test/k?sign=s", "https://lab.test/k?sign=s"])
def test_a_file_is_put_where_an_address_was_handed_out_and_no_credential_goes_along(url: str):
    transport = FaultTransport(lambda request: httpx2.Response(200))
    auth = Basic("api", lambda: SecretStr("key"))
    http = Http("https://lab.test", source="lab", auth=auth, also=["files.test"], transport=transport)
    http.put(url, b"file", {"Content-MD5": "x"})
    (sent,) = transport.requests
    assert (sent.method, str(sent.url), sent.content, sent.headers["content-md5"]) == ("PUT", url, b"file", "x")
    assert "authorization" not in sent.headers


@pytest.mark.parametrize(("addresses", "reason"), MEANT)
def test_a_name_is_judged_by_where_it_leads(addresses: list[str], reason: str, monkeypatch: pytest.MonkeyPatch):
    connected = connections(monkeypatch)
    names = Names({"lab.test": [[PUBLIC]], "files.test": [addresses]})
    http = Http("https://lab.test", source="lab", also=["files.test"], resolve=names)
    with pytest.raises(SourceRefused, match=reason) as caught:
        http.fetch("https://files.test/k?X-Amz-Signature=signed-away")
    assert "files.test" in str(caught.value)
    assert "signed-away" not in str(caught.value)
    assert connected == []


@pytest.mark.parametrize(("addresses", "reason"), OWN)
def test_a_sources_own_name_may_not_lead_to_the_clouds_metadata(
    addresses: list[str], reason: str, monkeypatch: pytest.MonkeyPatch
):
    connected = connections(monkeypatch)
    http = Http("http://lab.test", source="marquez 'lab'", resolve=Names({"lab.test": [addresses]}))
    with pytest.raises(SourceRefused, match=rf"marquez 'lab': no request is sent to lab\.test .*{reason}"):
        http.get_json("/x")
    assert connected == []


@pytest.mark.parametrize("url", SPELLED)
def test_an_address_in_other_figures_is_judged_by_what_it_means(url: str, monkeypatch: pytest.MonkeyPatch):
    connected = connections(monkeypatch)
    http = Http("https://93.184.215.14", source="lab", also=["*"])
    with pytest.raises((SourceRefused, SourceUnavailable), match=r"this machine|is not known|is no address"):
        http.fetch(url)
    assert connected == []


def connections(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every connection that is opened from here on; none is really made."""
    opened: list[object] = []

    def refuse(address: object, *_: object, **__: object) -> socket.socket:
        opened.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    return opened


class TestAnswersThatChange:
    """DNS rebinding: the name is good when it is looked at, and another thing when it is asked."""

    def test_a_name_is_resolved_once_for_look_and_connection(self, door: Door):
        names = Names({"lab.test": [[LOOPBACK], ["169.254.169.254"]]})
        http = Http(f"http://lab.test:{door.port}", source="lab", resolve=names)
        assert http.get_json("/x") == []
        assert (names.asked, door.came) == (["lab.test"], 1)

    def test_each_new_connection_is_judged_anew(self, door: Door):
        names = Names({"lab.test": [[LOOPBACK], ["169.254.169.254"]]})
        http = Http(f"http://lab.test:{door.port}", source="lab", resolve=names)
        http.get_json("/x")
        with pytest.raises(SourceRefused, match="metadata"):
            http.get_json("/x")
        assert door.came == 1

    def test_the_refusal_is_final_and_not_tried_again(self):
        sleeper = Sleeper()
        names = Names({"lab.test": [["169.254.169.254"]]})
        http = Http("http://lab.test", source="lab", resolve=names, sleep=sleeper.sleep, monotonic=sleeper.monotonic)
        with pytest.raises(SourceRefused):
            http.get_json("/x")
        assert (names.asked, sleeper.slept) == (["lab.test"], [])


class TestWhatIsAllowed:
    def test_a_source_on_this_machine_is(self, door: Door):
        assert Http(f"http://{LOOPBACK}:{door.port}", source="lab").get_json("/x") == []
        assert door.came == 1

    def test_the_next_address_of_a_name_is_tried_when_the_first_is_deaf(self, door: Door):
        names = Names({"lab.test": [["127.0.0.2", LOOPBACK]]})
        with socket.create_server(("127.0.0.2", 0)) as taken:
            deaf = taken.getsockname()[1]
        assert deaf != door.port
        assert Http(f"http://lab.test:{door.port}", source="lab", resolve=names).get_json("/x") == []

    def test_a_private_source_may_hand_out_private_addresses(self):
        transport = FaultTransport(lambda request: httpx2.Response(200, content=b"file"))
        names = Names({"lab.corp.test": [["10.0.0.1"]]})
        http = Http("https://lab.corp.test", source="lab", also=["10.0.0.*"], transport=transport, resolve=names)
        assert http.fetch("https://10.0.0.5/k") == b"file"

    def test_a_private_source_may_not_hand_out_this_machine(self):
        transport = FaultTransport(lambda request: httpx2.Response(200, content=b"file"))
        names = Names({"lab.corp.test": [["10.0.0.1"]]})
        http = Http("https://lab.corp.test", source="lab", also=["*"], transport=transport, resolve=names)
        with pytest.raises(SourceRefused, match="this machine"):
            http.fetch("https://127.0.0.1/k")


class TestAnAddressOfThisMachine:
    """An entry of `also` that is written out as one."""

    @pytest.fixture
    def door(self) -> Iterator[Door]:
        door = Door()
        yield door
        door.close()

    def test_is_asked_for_a_source_on_this_machine(self, door: Door):
        http = Http("http://127.0.0.1:1", source="lab", also=["files.test", f"http://127.0.0.1:{door.port}"])
        assert http.fetch(f"http://127.0.0.1:{door.port}/k?X-Amz-Signature=s") == b"[]"
        http.close()
        assert door.came == 1

    @pytest.mark.parametrize(
        "written", ["http://127.0.0.2:{port}/k", "http://localhost:{port}/k", "http://u@127.0.0.1:{port}/k"]
    )
    def test_is_asked_as_it_is_written_alone(self, door: Door, written: str):
        http = Http("http://localhost:1", source="lab", also=[f"http://127.0.0.1:{door.port}"])
        with pytest.raises(SourceRefused, match="not https"):
            http.fetch(written.format(port=door.port))
        with pytest.raises(SourceRefused, match="not https"):
            http.fetch(f"http://127.0.0.1:{door.port + 1}/k")
        http.close()
        assert door.came == 0

    def test_opens_this_machine_to_no_other_entry(self, door: Door, monkeypatch: pytest.MonkeyPatch):
        connected = connections(monkeypatch)
        also = ["files.test", f"http://127.0.0.1:{door.port}"]
        http = Http("http://127.0.0.1:1", source="lab", also=also, resolve=Names({"files.test": [[LOOPBACK]]}))
        with pytest.raises(SourceRefused, match="this machine"):
            http.fetch("https://files.test/k")
        http.close()
        assert connected == []

    @pytest.mark.parametrize("url", ["https://lab.test", "http://lab.test", "https://127.0.0.1", "http://10.0.0.1"])
    def test_is_refused_beside_any_other_source(self, url: str):
        with pytest.raises(Misconfigured, match="the source itself is not on it over http"):
            Http(url, source="lab", also=["http://127.0.0.1:9000"])

    @pytest.mark.parametrize(
        "entry", ["http://files.test", "https://files.test", "https://127.0.0.1:9", "http://127.0.0.1/k", "http://[::"]
    )
    def test_is_the_one_kind_of_address_that_can_be_listed(self, entry: str):
        with pytest.raises(Misconfigured, match=r"is given as an address|is no address"):
            Http("http://127.0.0.1:1", source="lab", also=[entry])


class TestWhatIsSaid:
    def test_an_unknown_name_is_a_platform_that_does_not_answer(self):
        sleeper = Sleeper()
        http = Http("https://nowhere.test", source="lab", resolve=Names({}), sleep=sleeper.sleep)
        with pytest.raises(SourceUnavailable, match=r"the name nowhere\.test is not known"):
            http.get_json("/x", retries=0)

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "ftp://lab.test/", "unix:///run/x", "lab.test", "javascript:1"]
    )
    def test_a_source_is_an_address_of_http(self, url: str):
        with pytest.raises(Misconfigured, match=r"lab: url .* e\.g\. https://host\.acme\.io"):
            Http(url, source="lab")

    @pytest.mark.parametrize(
        "location", ["file:///etc/passwd", "http://169.254.169.254/latest", "http://[::1]/x", "data:,x"]
    )
    def test_a_redirect_to_such_a_place_is_not_followed(self, location: str):
        transport = FaultTransport(lambda request: httpx2.Response(302, headers={"location": location}))
        with pytest.raises(Redirected, match="where no request is sent"):
            Http.of(source(), transport=transport).get_json("/x")
        assert len(transport.requests) == 1

    def test_proxies_of_the_environment_are_not_used(self, door: Door, monkeypatch: pytest.MonkeyPatch):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert Http(f"http://{LOOPBACK}:{door.port}", source="lab").get_json("/x") == []

"""What the application answers, by the table of clnrest, over real TLS."""

from __future__ import annotations

from http.client import IncompleteRead

import pytest

from lnoffers.rest.application import LONG_BYTES
from lnoffers.rest.request import MAX_BODY_BYTES
from tests.rest.running import RUNE, Node, Site


def test_answers_201_with_the_bare_result(site: Site) -> None:
    answer = site.post("getinfo")
    assert (answer.status, answer.json) == (201, {"id": "02aa"})


def test_a_call_without_a_body_has_no_parameters(site: Site, node: Node) -> None:
    site.post("getinfo")
    assert node.called[-1] == ("getinfo", b"{}")


def test_a_long_result_arrives_in_pieces_and_whole(site: Site) -> None:
    answer = site.post("listinvoices")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.json == {"invoices": [1, 2]}


@pytest.mark.parametrize("length", [LONG_BYTES - 20, LONG_BYTES + 20, MAX_BODY_BYTES - 20])
def test_long_and_short_bodies_give_the_same_parameters(site: Site, node: Node, length: int) -> None:
    text = "x" * length
    assert site.post("getinfo", {"a": text}).status == 201
    assert [params.count(text.encode()) for _, params in node.called] == [1, 1]


def test_several_calls_share_a_connection(site: Site) -> None:
    connection = site.connection()
    for _ in range(3):
        connection.request("POST", "/v1/getinfo", headers={"Rune": RUNE})
        assert connection.getresponse().read() == b'{"id":"02aa"}'
    connection.close()


def test_list_methods_answers_200_with_the_result_of_help(site: Site, node: Node) -> None:
    answer = site.request("GET", "/v1/list-methods", headers={"Rune": RUNE})
    assert (answer.status, answer.json) == (200, {"id": "02aa"})
    assert node.called[-1] == ("help", b"{}")


def test_the_rune_is_checked_with_the_bytes_that_the_command_gets(site: Site, node: Node) -> None:
    site.request("POST", "/v1/getinfo", b' {"a" : [1.0, "x"],"n":null ,"b":{"c":null}} ', {"Rune": RUNE})
    checked, called = node.called
    assert called == ("getinfo", b'{"a":[1.0, "x"],"b":{"c":null}}')
    assert checked == ("checkrune", b'{"rune":"a-rune","method":"getinfo","params":%b}' % called[1])


def test_escapes_are_resolved_so_that_a_rune_sees_what_the_command_reads(site: Site, node: Node) -> None:
    body = rb'{"l\u0061bel":"\u0073ecret \/ \u00e9 \u0022 \n"}'
    site.request("POST", "/v1/getinfo", body, {"Rune": RUNE})
    assert node.called[-1][1] == '{"label":"secret / é \\" \\n"}'.encode()


def test_a_form_gives_the_parameters_as_texts(site: Site, node: Node) -> None:
    form = {"Rune": RUNE, "Content-Type": "application/x-www-form-urlencoded"}
    answer = site.request("POST", "/v1/getinfo", b"amount_msat=1000&description=a+%22b%22%C3%A9&label=", form)
    assert answer.status == 201
    assert node.called[-1][1] == '{"amount_msat":"1000","description":"a \\"b\\"é","label":""}'.encode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": 'application/json; Charset="UTF8"'},
        {"Content-Type": "application/json; charset=us-ascii"},
        {"Content-Type": "*/*"},
        {"Content-Encoding": "Identity"},
        {"Accept": "*/*"},
        {"Accept": "application/json, text/plain, */*"},
        {"Accept": "text/html, application/json;q=0.5"},
        {"Accept": "*/*;q=0, application/json; Q = 0.001"},
        {"Accept": "application/*, */*;q=0.0"},
    ],
)
def test_accepts_the_headers_of_common_clients(site: Site, headers: dict[str, str]) -> None:
    assert site.request("POST", "/v1/getinfo", b"{}", {"Rune": RUNE} | headers).status == 201


def test_the_name_of_the_header_has_any_case(site: Site) -> None:
    assert site.request("POST", "/v1/getinfo", b"{}", {"rUNe": RUNE}).status == 201


DEEP = b'{"a":[' + (b"[" * 20 + b"]" * 20 + b",") * 1_000
MANY_NAMES = b'{%b,"0":1}' % b",".join(b'"%d":1' % number for number in range(20_000))
REFUSED = {
    "no rune": ("POST", "/v1/getinfo", b"", {"Rune": ""}, 403, 1501, "Not authorized: Missing rune"),
    "another node's rune": ("POST", "/v1/getinfo", b"", {"Rune": "x"}, 401, 1501, "Not authorized: Not derived"),
    "not valid": ("POST", "/v1/getinfo", b"", {"Rune": "useless"}, 401, 1502, "Rune is not valid"),
    "foreign path": ("POST", "/getinfo", b"", {}, 404, -32601, "Path not found"),
    "longer path": ("POST", "/v1/getinfo/more", b"", {}, 404, -32601, "Path not found"),
    "slash in the method": ("POST", "/v1/get%2Finfo", b"", {}, 404, -32601, "Path not found"),
    "quote in the method": ("POST", "/v1/get%22info", b"", {}, 404, -32601, "Path not found"),
    "unknown method": ("POST", "/v1/nonsense", b"", {}, 404, -32601, "Unknown command 'nonsense'"),
    "methods listed by POST": ("POST", "/v1/list-methods", b"", {}, 404, -32601, "Unknown command 'list-methods'"),
    "GET": ("GET", "/v1/getinfo", None, {}, 405, None, "Only POST calls a command, not GET"),
    "PUT": ("PUT", "/v1/getinfo", b"", {}, 405, None, "Only POST calls a command, not PUT"),
    "YAML": (
        "POST",
        "/v1/getinfo",
        b"a: 1",
        {"Content-Type": "application/yaml"},
        406,
        None,
        "Unsupported content-type",
    ),
    "an answer in XML": ("POST", "/v1/getinfo", b"", {"Accept": "text/xml"}, 406, None, "Unsupported accept header"),
    "anything but JSON": (
        "POST",
        "/v1/getinfo",
        b"",
        {"Accept": "*/*, application/json;q=0.000"},
        406,
        None,
        "Unsupported accept header: */*, application/json;q=0.000",
    ),
    "anything but applications": (
        "POST",
        "/v1/getinfo",
        b"",
        {"Accept": "*/*, application/*; q=0"},
        406,
        None,
        "Unsupported accept header",
    ),
    "a compressed body": (
        "POST",
        "/v1/getinfo",
        b"{}",
        {"Content-Encoding": "gzip"},
        415,
        None,
        "Unsupported content-encoding header: gzip",
    ),
    "another charset": (
        "POST",
        "/v1/getinfo",
        b"{}",
        {"Content-Type": "application/json; charset=latin-1"},
        415,
        None,
        "Unsupported charset latin-1: send UTF-8",
    ),
    "a form in another charset": (
        "POST",
        "/v1/getinfo",
        b"a=b",
        {"Content-Type": "application/x-www-form-urlencoded;charset=utf-16"},
        415,
        None,
        "Unsupported charset utf-16: send UTF-8",
    ),
    "name twice": ("POST", "/v1/getinfo", b'{"a":1,"a":2}', {}, 406, None, "The parameter a is given twice"),
    "name twice, once null": ("POST", "/v1/getinfo", b'{"a":null,"a":2}', {}, 406, None, "The parameter a is given"),
    "name twice, once escaped": ("POST", "/v1/getinfo", rb'{"a":1,"\u0061":2}', {}, 406, None, "The parameter a is"),
    "name twice, far apart": ("POST", "/v1/getinfo", MANY_NAMES, {}, 406, None, "The parameter 0 is given twice"),
    "an array": ("POST", "/v1/getinfo", b"[1]", {}, 400, None, "The body is not the JSON object"),
    "a word": ("POST", "/v1/getinfo", b"null", {}, 400, None, "The body is not the JSON object"),
    "half an object": ("POST", "/v1/getinfo", b'{"a":', {}, 400, None, "The body is not one whole JSON object"),
    "two objects": ("POST", "/v1/getinfo", b"{}{}", {}, 400, None, "The body is not one whole JSON object"),
    "an object and more": ("POST", "/v1/getinfo", b"{}]", {}, 400, None, "The body is not the JSON object"),
    "not UTF-8": ("POST", "/v1/getinfo", b'{"a":"\xff"}', {}, 400, None, "The body is not the JSON object"),
    "half a surrogate pair": ("POST", "/v1/getinfo", rb'{"a":"\ud800"}', {}, 400, None, "The body contains half of"),
    "a huge number": ("POST", "/v1/getinfo", b'{"a":%b}' % (b"9" * 2000), {}, 400, None, "The body is not the JSON"),
    "too deep": ("POST", "/v1/getinfo", b'{"a":' + b"[" * 300, {}, 400, None, "The body is not the JSON object"),
    "too many arrays": (
        "POST",
        "/v1/getinfo",
        DEEP,
        {},
        400,
        None,
        "The body is not the JSON",
    ),
    "too long": ("POST", "/v1/getinfo", b'{"a":"%b"}' % (b"x" * MAX_BODY_BYTES), {}, 413, None, "The body is longer"),
    "failed": ("POST", "/v1/pay", b"{}", {}, 500, 210, "Timed out"),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_answers_errors_by_the_table(
    site: Site, refused: tuple[str, str, bytes | None, dict[str, str], int, int | None, str]
) -> None:
    verb, path, body, headers, status, code, message = refused
    answer = site.request(verb, path, body, {"Rune": RUNE} | headers)
    error = answer.json
    assert (answer.status, error["code"]) == (status, code)
    assert error["message"].startswith(message)
    assert set(error) == {"code", "message", "data"}


def test_an_error_of_the_command_keeps_its_data(site: Site) -> None:
    assert site.post("pay").json == {"code": 210, "message": "Timed out", "data": {"attempts": 3}}


def test_405_says_what_is_allowed(site: Site) -> None:
    assert site.request("DELETE", "/v1/getinfo", headers={"Rune": RUNE}).headers["allow"] == "POST"


def test_415_says_which_encoding_is_read(site: Site) -> None:
    compressed = site.post("getinfo", **{"Content-Encoding": "gzip"})
    in_latin_1 = site.post("getinfo", **{"Content-Type": "application/json; charset=latin-1"})
    assert compressed.headers["accept-encoding"] == "identity"
    assert "accept-encoding" not in in_latin_1.headers  # it would say that the encoding was the mistake


@pytest.mark.parametrize("path", ["/v1/getinfo", "/elsewhere"])
def test_a_length_beside_chunks_is_refused_and_ends_the_connection(site: Site, node: Node, path: str) -> None:
    """Otherwise what is a body here could be the next request for a proxy in front, or the other way round."""
    request = b"POST %b HTTP/1.1\r\nHost: x\r\nRune: a-rune\r\n" % path.encode()
    with site.socket() as raw:
        raw.sendall(request + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + request + b"\r\n")
        answer = b"".join(iter(lambda: raw.recv(1 << 16), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert node.called == []


def test_a_second_rune_is_refused_before_any_is_checked(site: Site, node: Node) -> None:
    with site.socket() as raw:
        raw.sendall(b"POST /v1/getinfo HTTP/1.1\r\nHost: x\r\nRune: a-rune\r\nRune: b\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(1 << 16), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert node.called == []


def test_nothing_is_asked_of_the_node_before_the_rune_is_checked(site: Site, node: Node) -> None:
    site.post("getinfo", rune="x")
    assert [method for method, _ in node.called] == ["checkrune"]


def test_half_an_answer_is_not_mistaken_for_a_whole_one(site: Site) -> None:
    with pytest.raises(IncompleteRead):
        site.post("listpays")
    assert site.post("getinfo").status == 201


def test_a_node_that_does_not_answer_is_an_error_of_the_node(site: Site) -> None:
    answer = site.post("stop")
    assert (answer.status, answer.json["message"]) == (500, "The node does not answer: it has stopped")


def test_a_bug_shows_its_traceback_only_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    answer = site.post("bug")
    assert (answer.status, answer.json) == (500, {"code": -1, "message": "Internal error", "data": None})
    assert "A REST call ended in a bug" in caplog.text

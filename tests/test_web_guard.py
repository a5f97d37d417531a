"""Who reaches the server: no page of another site, nobody without the token, and nothing runs."""

import pytest

pytest.importorskip("fastapi", reason="the web server needs the extra unspin[web]")
pytest.importorskip("uvicorn", reason="the web server needs the extra unspin[web]")

from tests.serving import JSON, assert_problem, served
from unspin.web.guard import HEADERS
from unspin.web.settings import Settings

PROXY = "https://unspin.example.org"
SESAME = "open-sesame"
PREFLIGHT = {
    "Access_Control_Request_Method": "POST",
    "Access_Control_Request_Headers": "content-type,authorization",
}


@pytest.fixture(scope="module")
def server():
    with served(Settings(port=0, workers=1)) as client:
        yield client


@pytest.fixture(scope="module")
def locked():
    """A server with a token, behind a proxy."""
    settings = Settings(port=0, workers=1, token=SESAME, origins=(PROXY,))
    with served(settings) as client:
        yield client


# --- what a browser may do with an answer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/health"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
        ("GET", "/nothing"),
        ("PUT", "/v1/read"),
        ("POST", "/v1/read"),
    ],
)
def test_every_answer_says_that_nothing_may_run_or_be_fetched_from_elsewhere(server, method, path):
    headers = server.ask(method, path).headers
    for name, value in HEADERS.items():
        assert headers[name.lower()] == value
    assert headers["cache-control"] == ("no-cache" if path == "/" else "no-store")
    assert "set-cookie" not in headers
    assert "server" not in headers


def test_answers_of_the_guard_itself_have_the_headers_too(server):
    headers = server.get("/", Host="evil.example").headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")


def test_the_policy_allows_neither_inline_scripts_nor_frames():
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


# --- names: a site whose name is made to point at this machine gets nothing


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8080",
        "user@localhost",
        "localhost/",
        "",
        "[::1",
    ],
)
def test_requests_for_other_names_are_refused(server, host):
    assert_problem(server.get("/v1/health", Host=host), 421, "--origin")
    assert_problem(server.get("/", Host=host), 421)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "192.168.1.20:80", "[::1]:8080"]
)
def test_requests_for_this_machine_are_answered(server, host):
    assert server.get("/v1/health", Host=host).status == 200


def test_requests_for_the_name_of_a_proxy_are_answered(locked):
    assert locked.get("/v1/health", Host="unspin.example.org").status == 200
    assert_problem(locked.get("/v1/health", Host="other.example.org"), 421)


# --- origins: no page of another site may ask


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "file://"]
)
def test_pages_of_other_origins_may_not_ask(server, origin):
    assert_problem(server.post("/v1/read", {"page": ""}, Origin=origin), 403, "--origin")
    assert_problem(server.get("/", Origin=origin), 403)
    assert_problem(server.ask("OPTIONS", "/v1/read", Origin=origin, **PREFLIGHT), 403)


def test_the_servers_own_page_may_ask(server):
    for host in (f"127.0.0.1:{server.port}", f"localhost:{server.port}"):
        assert server.get("/v1/model", Host=host, Origin=f"http://{host}").status == 200


def test_nothing_is_shared_with_other_origins_unless_asked_for(server):
    headers = server.get("/v1/health").headers
    assert not any(name.startswith("access-control") for name in headers)


def test_pages_of_an_allowed_origin_may_ask_and_read_the_answer(locked):
    told = locked.get("/v1/health", Origin=PROXY)
    assert told.headers["access-control-allow-origin"] == PROXY
    preflight = locked.ask("OPTIONS", "/v1/read", Origin=PROXY, **PREFLIGHT)
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == PROXY
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in preflight.headers


def test_they_can_read_what_is_wrong_too(locked):
    answer = locked.post("/v1/read", {"page": ""}, Origin=PROXY)
    assert_problem(answer, 401)
    assert answer.headers["access-control-allow-origin"] == PROXY
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


@pytest.mark.parametrize(
    "asked",
    [
        {"Access_Control_Request_Method": "DELETE"},
        {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-secret"},
    ],
)
def test_what_they_may_not_send_is_a_problem_that_says_what_they_may(locked, asked):
    refused = locked.ask("OPTIONS", "/v1/read", Origin=PROXY, **asked)
    assert_problem(refused, 400, "GET and POST", "Content-Type")
    assert refused.headers["access-control-allow-origin"] == PROXY
    assert int(refused.headers["content-length"]) == len(refused.body)
    assert b"secret" not in refused.body


# --- the token


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer open-sesam"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic open-sesame"},
        {"Authorization": "open-sesame"},
        {"Authorization": "Bearer \xe9"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/read", "/v1/model", "/metrics", "/v1/nothing"])
def test_without_the_token_nothing_is_answered(locked, path, sent):
    answer = locked.ask("POST" if path == "/v1/read" else "GET", path, **sent)
    assert_problem(answer, 401, "UNSPIN_TOKEN")
    assert answer.headers["www-authenticate"] == 'Bearer realm="unspin"'


def test_with_the_token_it_is(locked):
    for scheme in ("Bearer", "bearer"):
        assert locked.get("/v1/model", Authorization=f"{scheme} {SESAME}").status == 200


@pytest.mark.parametrize("path", ["/", "/v1/health", "/openapi.json", "/icon.svg"])
def test_the_page_and_the_health_need_no_token(locked, path):
    assert locked.get(path).status == 200


def test_the_description_says_what_needs_the_token(locked):
    described = locked.get("/openapi.json").told
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert described["paths"]["/v1/read"]["post"]["security"] == [{"token": []}]
    assert "security" not in described["paths"]["/v1/health"]["get"]


def test_the_token_is_not_shown_where_settings_are():
    assert SESAME not in repr(Settings(token=SESAME))


# --- under a prefix, as in an application that it is mounted in


@pytest.fixture(scope="module")
def mounted():
    settings = Settings(port=0, workers=1, token=SESAME, max_bytes=1_000)
    with served(settings, under="/unspin") as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/read", "/v1/model", "/metrics", "/v1/nothing"])
def test_under_a_prefix_the_token_is_asked_for_as_well(mounted, path):
    answer = mounted.ask("POST" if path == "/v1/read" else "GET", f"/unspin{path}")
    assert_problem(answer, 401, "UNSPIN_TOKEN")


@pytest.mark.parametrize("path", ["/", "/v1/health", "/openapi.json", "/icon.svg"])
def test_under_a_prefix_what_needs_no_token_is_open_as_well(mounted, path):
    assert mounted.get(f"/unspin{path}").status == 200


def test_under_a_prefix_bodies_are_bounded_as_well(mounted):
    token = {"Authorization": f"Bearer {SESAME}"}
    too_long = mounted.post("/unspin/v1/read", {"page": "x" * 1_000}, **token)
    assert_problem(too_long, 413, "0.001 MB")
    form = mounted.post("/unspin/v1/read", b"{}", Content_Type="text/plain", **token)
    assert_problem(form, 415, "application/json")


def test_under_a_prefix_requests_are_counted_by_the_same_routes(mounted):
    token = {"Authorization": f"Bearer {SESAME}"}
    mounted.get("/unspin/v1/model", **token)
    counted = mounted.get("/unspin/metrics", **token).body.decode()
    assert 'unspin_requests_total{route="/v1/model",status="200"} 1.0' in counted


# --- bodies


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_only_json_is_taken_which_no_form_can_send(server, media_type):
    answer = server.post("/v1/read", b'{"page": ""}', Content_Type=media_type)
    assert_problem(answer, 415, "application/json")


def test_json_may_say_how_it_is_encoded(server):
    headers = {name.replace("-", "_"): f"{value}; charset=utf-8" for name, value in JSON.items()}
    assert server.post("/v1/report", b"{}", **headers).status == 422


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"origins": ("unspin.example.org",)},
        {"origins": ("https://unspin.example.org/path",)},
        {"origins": ("*",)},
        {"token": ""},
        {"token": "two words"},
        {"port": 70_000},
        {"workers": 0},
        {"queue": 0},
        {"max_bytes": 0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"max_bytes": float("inf")},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValueError, match=r"origin|token|port|more than 0"):
        Settings(**wrong)

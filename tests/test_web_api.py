"""The API: programs get what the command prints, and are told what is wrong and what to do."""

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="the web server needs the extra unspin[web]")
pytest.importorskip("uvicorn", reason="the web server needs the extra unspin[web]")

from pydantic import ValidationError

import unspin
from tests.serving import assert_problem, served
from unspin import report, web
from unspin.reader import Reader
from unspin.render import markdown
from unspin.tortured import Finding
from unspin.web import api, objects, schemas, work
from unspin.web.app import STATIC
from unspin.web.settings import Settings

EXAMPLES = Path(__file__).parent.parent / "examples"
DEMO = (EXAMPLES / "demo.html").read_text(encoding="utf-8")
TORTURED = "Counterfeit consciousness finds what nobody found in colossal information before."


@pytest.fixture(scope="module")
def server():
    with served(Settings(port=0, workers=1)) as client:
        yield client


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """The index of the examples."""
    pytest.importorskip("tantivy", reason="tracing needs the extra unspin[trace]")
    from unspin.trace.index import build

    path = tmp_path_factory.mktemp("index") / "ix"
    build([str(EXAMPLES / "articles.jsonl")], path)
    return path


@pytest.fixture(scope="module")
def tracer(index):
    """A server with the index of the examples."""
    with served(Settings(port=0, workers=1, indexes=(index,))) as client:
        yield client


# --- reading


def test_a_page_is_read_as_the_command_reads_it(server):
    answer = server.post("/v1/read", {"page": DEMO})
    assert answer.headers["content-type"] == "application/json"
    assert answer.body.decode() == Reader().read(DEMO.encode()).to_json()


def test_the_confidence_is_that_of_the_request_and_not_of_the_one_before(server):
    sure = server.post("/v1/read", {"page": DEMO, "min_confidence": 0.95})
    assert sure.body.decode() == Reader(0.95).read(DEMO).to_json()
    assert len(server.post("/v1/read", {"page": DEMO}).told["edits"]) > len(sure.told["edits"])


def test_tortured_phrases_are_looked_for_if_asked_for(server):
    assert server.post("/v1/read", {"page": TORTURED}).told["findings"] == []
    findings = server.post("/v1/read", {"page": TORTURED, "science": True}).told["findings"]
    assert [finding["expected"] for finding in findings] == ["artificial intelligence", "big data"]


@pytest.mark.parametrize(
    "page",
    [
        "",
        "\n",
        "<script>alert(1)</script><img onerror=alert(1)>",
        "\ufeffWe meet at noon.",
        "\u202eنلتقي عند الظهر 🌉",
    ],
)
def test_any_text_is_a_page(server, page):
    answer = server.post("/v1/read", {"page": page})
    assert answer.body.decode() == Reader().read(page.encode()).to_json()


def test_half_a_surrogate_pair_becomes_one_character_that_marks_its_place(server):
    answer = server.post(
        "/v1/read", b'{"page": "at \\ud83c noon"}', Content_Type="application/json"
    )
    assert answer.told["source_text"] == "at \ufffd noon"


def test_what_looks_binary_is_a_problem_with_advice(server):
    assert_problem(server.post("/v1/read", {"page": "\0\1\2PK" * 99}), 422, "convert it to text")


def test_a_text_of_more_than_4_million_characters_is_a_problem_with_advice(server):
    page = "word " * 800_001
    assert_problem(server.post("/v1/read", {"page": page}), 422, "4,000,000", "split it")


def test_a_batch_has_a_reading_or_a_problem_for_every_page_in_order(server):
    results = server.post("/v1/read/batch", {"pages": [DEMO, "\0" * 99, "At noon."]}).told[
        "results"
    ]
    assert [result["reading"] and result["reading"]["verdict"] for result in results] == [
        "spun",
        None,
        "unsure",
    ]
    assert [result["problem"] and result["problem"]["status"] for result in results] == [
        None,
        422,
        None,
    ]


def test_a_batch_has_64_pages_at_most_and_one_at_least(server):
    for pages in ([], ["a"] * 65):
        assert_problem(server.post("/v1/read/batch", {"pages": pages}), 422, "body.pages")


# --- bodies that are not as they should be


@pytest.mark.parametrize(
    "body",
    [
        b'{"page": ',
        b'{"page": "\xff"}',
        b"\x00",
        b'{"page": "x", "min_confidence": ' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        b'{"page":' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=["cut", "no UTF-8", "NUL", "huge number", "deep", "deep objects"],
)
def test_what_is_no_json_is_status_400(server, body):
    answer = server.post("/v1/read", body, Content_Type="application/json")
    assert_problem(answer, 400, "the body is no JSON")


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.page"),
        ([], "body"),
        ({"page": 1}, "body.page"),
        ({"page": "", "min_confidence": 1.1}, "body.min_confidence"),
        ({"page": "", "min_confidence": "0.5"}, "body.min_confidence"),
        ({"page": "", "min_confidence": float("nan")}, "body.min_confidence"),
        ({"page": "", "min_confidence": True}, "body.min_confidence"),
        ({"page": "", "science": 1}, "body.science"),
        ({"page": "", "secret": 1}, "body"),
    ],
)
def test_what_is_wrong_with_a_body_is_told_with_its_place(server, body, location):
    answer = server.post("/v1/read", body)
    assert_problem(answer, 422)
    (error,) = answer.told["errors"]
    assert error["location"] == location
    assert error["message"].endswith(".")


def test_nothing_of_a_body_is_repeated(server):
    family = {"name": "x", "weights": {"secret": "secret"}}
    for path, body in [
        ("/v1/read", {"page": ["secret"], "secret": "secret", "science": "secret"}),
        ("/v1/report", {"reading": {**objects.READING, "family": family}, "format": "secret"}),
        ("/v1/report", {"reading": {**objects.READING, "source_text": "secret"}, "format": "html"}),
    ]:
        answer = server.post(path, body)
        assert_problem(answer, 422)
        assert b"secret" not in answer.body


def test_a_million_wrong_things_are_one_error(server):
    reading = {**objects.READING, "edits": [0] * 1_000_000}
    answer = server.post("/v1/report", {"reading": reading, "format": "html"})
    assert_problem(answer, 422, "body.reading.edits.0")
    assert len(answer.told["errors"]) == 1


MANY = {str(number): "" for number in range(1_000)}
NOTHINGS = [0] * 1_000
EDIT = objects.READING["edits"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: NOTHINGS} for name, told in objects.READING.items() if isinstance(told, list)),
        *({name: [MANY]} for name, told in objects.READING.items() if isinstance(told, list)),
        {"edits": [{**EDIT, "alternatives": NOTHINGS}]},
        {"edits": [{**EDIT, "alternatives": [NOTHINGS]}]},
        {"edits": [{**EDIT, **MANY}]},
        {"family": {"name": "x", "weights": MANY}},
        {"family": {"name": "x", "weights": {}, **MANY}},
        MANY,
    ],
    ids=lambda wrong: ", ".join(list(wrong)[:1]),
)
def test_however_much_is_wrong_with_a_reading_few_errors_are_made_of_it(wrong):
    with pytest.raises(ValidationError) as refused:
        schemas.ReportRequest.model_validate(
            {"reading": {**objects.READING, **wrong}, "format": "html"}
        )
    assert refused.value.error_count() < 10


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        (schemas.ReadRequest, {"page": "", **MANY}),
        (schemas.TraceRequest, {"page": "", **MANY}),
        (schemas.ReportRequest, MANY),
        (schemas.BatchRequest, {"pages": NOTHINGS}),
        (schemas.BatchRequest, {"pages": [""] * 1_000}),
    ],
)
def test_however_much_is_wrong_with_a_request_one_error_is_made_of_it(asked, wrong):
    with pytest.raises(ValidationError) as refused:
        asked.model_validate(wrong)
    assert refused.value.error_count() == 1


def test_an_object_of_too_many_fields_is_a_problem_that_says_how_many_it_may_have(server):
    assert_problem(server.post("/v1/read", {"page": "", **MANY}), 422, "at most 100 fields")
    family = {"name": "x", "weights": MANY}
    answer = server.post(
        "/v1/report", {"reading": {**objects.READING, "family": family}, "format": "html"}
    )
    assert_problem(answer, 422, "body.reading.family.weights", "at most 100 fields")


# --- tracing


def test_without_an_index_a_trace_is_a_problem_that_says_how_to_start_the_server(server):
    assert_problem(server.post("/v1/trace", {"page": DEMO}), 404, "start it with --index IX")


def test_a_page_is_traced_as_the_command_traces_it(tracer):
    answer = tracer.post("/v1/trace", {"page": DEMO})
    assert answer.told["matches"][0]["id"] == "harbour-news-2024-05-17"
    assert "sides" not in answer.told["matches"][0]
    assert "reading" not in answer.told


def test_page_and_source_stand_side_by_side_if_asked_for(tracer):
    (match,) = tracer.post("/v1/trace", {"page": DEMO, "sides": True}).told["matches"]
    sources = ["".join(piece["text"] for piece in row["source"]) for row in match["sides"]]
    assert any("The iron bridge over the old harbour" in source for source in sources)
    swapped = [piece for row in match["sides"] for piece in row["page"] if piece["number"] == 0]
    assert swapped[0]["text"].strip() == match["substitutions"][0]["spun"]


def test_the_sources_own_words_are_put_back_if_asked_for(tracer):
    reading = tracer.post("/v1/trace", {"page": DEMO, "restore": True}).told["reading"]
    assert "its central support" in reading["text"]
    assert any(edit["reason"].startswith("source: ") for edit in reading["edits"])


def test_a_trace_is_written_down_as_html(tracer):
    answer = tracer.post("/v1/trace", {"page": DEMO, "format": "html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="trace.html"'
    assert b"<title>Taken from" in answer.body


# --- reports


def test_a_reading_is_written_down_as_the_command_writes_it(server):
    reading = Reader().read(DEMO)
    told = json.loads(server.post("/v1/read", {"page": DEMO}).body)
    for form, written in (("markdown", markdown(reading)), ("html", report.html(reading))):
        answer = server.post("/v1/report", {"reading": told, "format": form})
        assert answer.body.decode() == written
        assert answer.headers["content-type"] == f"text/{form}; charset=utf-8"
        assert answer.headers["content-disposition"].startswith("attachment; ")


def test_a_report_has_the_edits_as_they_were_chosen(server):
    told = server.post("/v1/read", {"page": DEMO}).told
    told["edits"] = [{**told["edits"][0], "original": "beside"}]
    for derived in ("unspin", "text", "quotations"):
        del told[derived]
    answer = server.post("/v1/report", {"reading": told, "format": "markdown"})
    assert "Old harbour bridge **beside** ~~successful~~ Kelmouth" in answer.body.decode()


def test_text_and_quotations_of_a_reading_follow_its_edits(server):
    told = server.post("/v1/read", {"page": DEMO}).told
    assert server.post("/v1/report", {"reading": told, "format": "json"}).told == told
    printed = server.post("/v1/report", {"reading": {**told, "edits": []}, "format": "json"}).told
    assert printed["text"] == told["source_text"]
    assert not any(quotation["altered"] for quotation in printed["quotations"])


def test_a_reading_that_does_not_fit_together_is_a_problem(server):
    reading = {**objects.READING, "source_text": "We meet at noon."}
    answer = server.post("/v1/report", {"reading": reading, "format": "html"})
    assert_problem(answer, 422, "does not fit together")


LINES = ["We ", "“We go", "” said Nora.", "\n", "\r\n", "<b>", "astatine ", "| ", "\u202e", "🌉"]
SHARE, WORD = st.floats(0, 1), st.text(max_size=4)


@st.composite
def readings(draw):
    """Readings that fit together, of texts that are hard to write down."""
    text = "".join(draw(st.lists(st.sampled_from(LINES), max_size=20)))

    def spans(printed, **more):
        cuts = draw(st.lists(st.integers(0, len(text)), unique=True, max_size=5).map(sorted))
        return [
            {"start": start, "end": end, printed: text[start:end]}
            | {name: draw(strategy) for name, strategy in more.items()}
            for start, end in pairwise(cuts)
        ]

    alternatives = st.lists(st.tuples(WORD, SHARE).map(list), max_size=2)
    edits = spans("spun", original=WORD, confidence=SHARE, alternatives=alternatives, reason=WORD)
    return {
        **objects.READING,
        "verdict": draw(st.sampled_from(["spun", "clean", "unsure"])),
        "words": draw(st.integers(0, 10**50)),
        "source_text": text,
        "edits": edits,
        "suspects": spans("spun", confidence=SHARE),
        "findings": spans("printed", expected=WORD, probability=SHARE, reason=WORD),
        "furniture": spans("text", reason=WORD),
    }


@given(readings(), st.sampled_from(["json", "markdown", "html"]))
def test_every_reading_that_is_taken_can_be_written_down(reading, form):
    given = schemas.ReportRequest.model_validate({"reading": reading, "format": form}).reading
    told = given.model_dump(exclude={"unspin", "text", "quotations"})
    assert work.report(told, form).body.decode()


# --- families that the model does not know


def test_a_server_with_a_family_reads_pages_as_spun_by_it(server, tide, tide_file, tidal):
    spun, original = tidal
    assert server.post("/v1/read", {"page": spun}).told["verdict"] == "clean"
    with served(Settings(port=0, workers=1, families=(tide_file,))) as knowing:
        told = knowing.post("/v1/read", {"page": spun}).told
        families = knowing.get("/v1/model").told["families"]
    assert (told["family"]["name"], told["text"]) == ("tide", original)
    assert told == Reader(families=[tide]).read(spun.encode()).to_dict()
    assert families == [{"name": "tide", "pairs": 26}]


def test_a_server_with_a_family_traces_pages_with_it(index, tide_file, tidal):
    with served(Settings(port=0, workers=1, indexes=(index,), families=(tide_file,))) as knowing:
        asked = {"page": tidal[0], "restore": True}
        told = knowing.post("/v1/trace", asked).told
        report = knowing.post("/v1/trace", {**asked, "format": "html"})
    (match,) = told["matches"]
    assert "tide" in {swap["reason"] for swap in match["substitutions"]}
    assert told["reading"]["family"]["name"] == "tide"
    assert report.headers["content-type"].startswith("text/html")


# --- what the server says of itself


def test_health_says_that_the_server_works(server):
    assert server.get("/v1/health").told == {"status": "ok", "workers": 1, "waiting": 0}


def test_the_model_is_described_with_the_limits(server):
    assert server.get("/v1/model").told == {
        "unspin": unspin.__version__,
        "language": "en",
        "spun_from": 0.975,
        "clean_below": 0.5,
        "limits": {"max_bytes": 5_000_000, "seconds": 30.0, "queue": 64, "pages": 64},
        "index": None,
        "families": [],
    }


def test_the_model_says_how_many_articles_the_index_has(tracer):
    assert tracer.get("/v1/model").told["index"] == {"articles": 3}


def test_requests_and_verdicts_are_counted_for_each_server_apart():
    with served(Settings(port=0, workers=1)) as one, served(Settings(port=0, workers=1)) as other:
        one.post("/v1/read", {"page": DEMO})
        one.post("/v1/read", b"{", Content_Type="application/json")
        one.get("/whatever/somebody/thinks/of")
        counted = one.get("/metrics")
        assert counted.headers["content-type"].startswith("text/plain; version=")
        for line in (
            b'unspin_requests_total{route="/v1/read",status="200"} 1.0',
            b'unspin_requests_total{route="/v1/read",status="400"} 1.0',
            b'unspin_requests_total{route="other",status="404"} 1.0',
            b'unspin_request_seconds_count{route="/v1/read"} 2.0',
            b'unspin_verdicts_total{verdict="spun"} 1.0',
            b"unspin_waiting 0.0",
        ):
            assert line in counted.body.splitlines()
        assert b"/v1/read" not in other.get("/metrics").body


def test_every_operation_is_described_with_its_name_and_its_errors(server):
    described = server.get("/openapi.json").told
    operations = [
        (path, operation)
        for path, methods in described["paths"].items()
        for operation in methods.values()
    ]
    assert {path for path, _ in operations} == {*api.PAGES, api.HEALTH, api.MODEL, api.METRICS}
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)
    for path, operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"]
        answers = operation["responses"]
        expected = {"400", "408", "413", "415", "422", "429", "500"} if path in api.PAGES else set()
        assert {"200", "403", "421", *expected} <= answers.keys()
        for status in answers.keys() - {"200"}:
            assert list(answers[status]["content"]) == ["application/problem+json"]
    assert "security" not in described["paths"]["/v1/read"]["post"]


def test_every_field_of_a_reading_is_described(server):
    objects = server.get("/openapi.json").told["components"]["schemas"]
    for name in ("Reading", "Trace", "Match"):
        for schema in objects[name]["properties"].values():
            assert schema["description"]


@pytest.mark.parametrize("path", api.PAGES)
def test_the_examples_work(tracer, path):
    described = tracer.get("/openapi.json").told
    body = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    name = body["schema"]["$ref"].rpartition("/")[2]
    for example in described["components"]["schemas"][name]["examples"]:
        assert tracer.post(path, example).status == 200


def test_the_spun_example_is_spun_and_the_clean_one_is_not():
    assert Reader().read(schemas.SPUN).verdict == "spun"
    assert Reader().read(schemas.CLEAN).verdict != "spun"


def test_the_description_fits_what_is_answered(server, tracer, spun, clean, empty, taken):
    told = [reading.to_dict() for reading in (spun, clean, empty, Reader(science=True).read(DEMO))]
    told.append({**told[0], "findings": [asdict(Finding(3, 7, "meet", "met", 0.9, "list"))]})
    for reading in told:
        objects.Reading.model_validate(reading)
        assert reading.keys() == objects.Reading.model_fields.keys()
    matches = taken.to_dict()["matches"]
    for match, number in zip(matches, range(len(matches)), strict=True):
        match["sides"] = work._sides(taken, number)
    objects.Trace.model_validate({**taken.to_dict(), "matches": matches})
    full = {"page": DEMO, "sides": True, "restore": True}
    objects.Trace.model_validate(tracer.post("/v1/trace", full).told)
    batch = {"pages": [DEMO, "\0" * 99]}
    schemas.Batch.model_validate(server.post("/v1/read/batch", batch).told)
    schemas.Health.model_validate(server.get("/v1/health").told)
    schemas.Model.model_validate(tracer.get("/v1/model").told)


def test_every_public_name_of_the_room_is_there():
    assert web.__all__ == sorted(web.__all__) == dir(web)
    assert all(getattr(web, name) is not None for name in web.__all__)


# --- addresses and methods


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/read", "POST"),
        ("OPTIONS", "/v1/read", "POST"),
        ("POST", "/v1/health", "GET"),
        ("DELETE", "/v1/model", "GET"),
        ("POST", "/", "GET, HEAD"),
        ("OPTIONS", "/", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_told_which_it_takes(
    server, method, path, allowed
):
    answer = server.ask(method, path)
    assert_problem(answer, 405, "Allow header")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("POST", "/v1/nothing"),
        ("POST", "/v1/read/"),
        ("GET", "/nothing.html"),
        ("GET", "/examples"),
        ("GET", "/%00"),
        ("POST", "/%00"),
        ("POST", "/" + "x" * 400),
        ("GET", "/..%2fapp.py"),
        ("GET", "//etc/passwd"),
        ("GET", "/" + "x" * 5_000),
        ("GET", "/docs"),
    ],
)
def test_where_there_is_nothing_is_a_problem(server, method, path):
    assert_problem(server.ask(method, path), 404, "/openapi.json")


def test_head_is_answered_as_get_without_the_body(server):
    for path in ("/", "/v1/health", "/openapi.json"):
        head, get = server.ask("HEAD", path), server.get(path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(get.body))


# --- the page


def test_the_page_is_served_with_its_files(server):
    answer = server.get("/")
    assert answer.body == (STATIC / "index.html").read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for path in STATIC.rglob("*.*"):
        assert server.get(f"/{path.relative_to(STATIC).as_posix()}").body == path.read_bytes()


def test_files_are_asked_for_each_time_and_sent_only_when_changed(server):
    answer = server.get("/")
    assert answer.headers["cache-control"] == "no-cache"
    again = server.get("/", If_None_Match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    assert again.headers["cache-control"] == "no-cache"


def test_scripts_are_sent_as_such(server):
    for path in STATIC.glob("*.js"):
        assert "javascript" in server.get(f"/{path.name}").headers["content-type"]

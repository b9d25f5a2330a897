"""The search page: JSON, HTML, two indexes side by side, escaping, limits, and refusals in one line."""

import http.client
import json
import shutil
import threading
from urllib.parse import quote

import pytest

import bench
from bench.cli import main
from bench.encoder import checkpoint
from bench.errors import DataError, SettingsError
from bench.notebook.places import open_place
from bench.notebook.server import SearchServer

TEXTS = ["a cat", "the dog at the <script>alert(1)</script> door", "a cold day and a book", "air", "an animal at the door"]


@pytest.fixture(scope="module")
def place(tiny_encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    checkpoint.save(tiny_encoder(), folder / "model", settings={"query_maxlen": 12, "doc_maxlen": 40})
    model = bench.load_model(folder / "model")
    for codec in ("fp16", "residual-1"):
        bench.build_index(model, TEXTS, list("abcde"), codec=codec, folder=folder / codec, threads=1)
    return folder


@pytest.fixture(scope="module")
def server(place):
    indexes = [open_place(place / codec, model=place / "model", threads=1) for codec in ("fp16", "residual-1")]
    served = SearchServer(("127.0.0.1", 0), indexes, {"engine": "exact"})
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join(5)


@pytest.fixture
def get(server):
    def ask(path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        said = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, said

    return ask


def test_json_has_the_ranking_of_each_index_with_the_tokens_and_what_moved(get, server):
    status, headers, said = get("/api/search?q=a+dog&k=3")
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    found = json.loads(said)
    assert found["question"] == "a dog"
    assert [side["index"].split(" · ")[0] for side in found["sides"]] == ["fp16", "residual-1"]
    for side, index in zip(found["sides"], server.indexes, strict=True):
        assert [(hit["id"], hit["score"]) for hit in side["results"]] == [
            (hit.id, hit.score) for hit in index.search("a dog", k=3)[0]
        ]
    ids = [[hit["id"] for hit in side["results"]] for side in found["sides"]]
    for hit in found["sides"][0]["results"]:
        assert hit["other_rank"] == (ids[1].index(hit["id"]) + 1 if hit["id"] in ids[1] else None)
        assert [token["token"] for token in hit["tokens"]] == ["a", "dog"]


def test_the_page_marks_tokens_and_escapes_questions_and_passages(get):
    status, headers, said = get("/?q=" + quote('dog "<img src=x>'))
    assert status == 200
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert 'value="dog &quot;&lt;img src=x&gt;"' in said
    assert "<mark" in said
    assert "<img" not in said
    assert "<script" not in said
    assert said.count("<section>") == 2
    assert said.count("<article>") == 10
    assert "http://" not in said


def test_an_empty_page_has_a_search_box_alone(get):
    status, _, said = get("/")
    assert (status, said.count("<article>")) == (200, 0)
    assert '<input type="search" name="q"' in said
    assert get("/", method="HEAD")[2] == ""


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("/api/search", 400, "there is no question; give q"),
        ("/api/search?q=a&k=0", 400, "k '0' is not a number from 1 to 100"),
        ("/api/search?q=a&k=1e3", 400, "k '1e3' is not a number"),
        ("/api/search?q=a&k=" + "9" * 400, 400, "is not a number from 1 to 100"),
        ("/api/search?q=" + "a" * 1001, 400, "the question has 1001 characters; give at most 1000"),
        ("/api/search?q=%ff", 400, "is not UTF-8"),
        ("/api/search?q=a&engine=plaid", 400, "'engine' is not known; give q, a question, and k"),
        ("/api/nosuch", 404, "'/api/nosuch' is not here"),
        ("/../../etc/passwd", 404, "is not here"),
        ("/?q=a&k=x", 400, "k &#x27;x&#x27; is not a number"),
    ],
    ids=range(10),
)
def test_what_cannot_be_asked_is_refused_in_one_line(get, path, status, why):
    found, _, said = get(path)
    assert found == status
    assert why in said
    if path.startswith("/api"):
        assert "\n" not in json.loads(said)["error"]


def test_a_page_of_another_site_cannot_read_it_under_another_name(get, server):
    assert get("/api/search?q=a", Host="evil.example:80")[0] == 403
    assert get("/api/search?q=a", Host=f"localhost:{server.server_address[1]}")[0] == 200
    assert get("/api/search?q=a", method="POST")[0] == 501


def test_ask_prints_ranked_passages_with_what_won_and_what_moved(place, capsys, monkeypatch):
    words = ["ask", str(place / "fp16"), "a dog", "--model", str(place / "model"), "--k", "2"]
    assert main(words) == 0
    out = capsys.readouterr().out
    ranked = open_place(place / "fp16", model=place / "model").search("a dog", k=2)[0]
    assert [line.split()[:3] for line in out.splitlines()[:4:3]] == [
        [str(hit.rank), f"{hit.score:.3f}", hit.id] for hit in ranked
    ]
    assert "dog→" in out
    assert "[" in out
    assert main([*words, "--against", str(place / "residual-1")]) == 0
    out = capsys.readouterr().out
    assert out.count("residual-1 · 5 passages") == 1
    assert any(word in out for word in ("=", "▲", "▼", "only here"))


def test_ask_reads_questions_until_an_empty_line(place, capsys, monkeypatch):
    lines = iter(["a dog\n", "air\n", "\n", "never\n"])
    monkeypatch.setattr("sys.stdin.readline", lambda: next(lines))
    assert main(["ask", str(place / "residual-1"), "--model", str(place / "model"), "--k", "1"]) == 0
    assert sum(line.startswith("  1  ") for line in capsys.readouterr().out.splitlines()) == 2
    assert next(lines) == "never\n"


def test_what_does_not_belong_to_an_index_is_refused(place, tmp_path, capsys):
    with pytest.raises(SettingsError, match=r"--model of the command line is not given, and .* is no folder"):
        open_place(place / "fp16")
    with pytest.raises(SettingsError, match="is no index"):
        open_place(tmp_path)
    shutil.copytree(place / "fp16", tmp_path / "other")
    bench.build_index(bench.load_model(place / "model"), TEXTS[:3], codec="fp16", folder=tmp_path / "few", threads=1)
    with pytest.raises(DataError, match="was not made from the 3 passages"):
        open_place(tmp_path / "other", model=place / "model", corpus=tmp_path / "few" / "corpus")
    assert main(["serve", str(place / "fp16"), "--model", str(place / "model"), "--port", "70000"]) == 1
    assert "--port 70000 of the command line is not from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("browser", [1280, 390], indirect=True)
def test_a_reader_types_a_question_and_sees_two_codecs_with_what_won(browser, server):
    browser.get(f"http://127.0.0.1:{server.server_address[1]}/")
    browser.find_element("css selector", "input[name=q]").send_keys("a dog\n")
    sides = browser.find_elements("css selector", "main section")
    assert [side.find_element("css selector", "h2").text.split(" · ")[0] for side in sides] == ["fp16", "residual-1"]
    for side, index in zip(sides, server.indexes, strict=True):
        ids = [found.text for found in side.find_elements("css selector", ".id")]
        assert ids == [hit.id for hit in index.search("a dog", k=10)[0]]
        assert side.find_elements("css selector", "mark")
    beside = sides[0].rect["y"] == sides[1].rect["y"]
    width = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert (beside, width[0] <= width[1]) == (width[1] == 1280, True)
    assert not [line for line in browser.get_log("browser") if "favicon" not in line["message"]]

"""Pages take a bounded part of the threads, and the shop's answers go on when that part is taken."""

from contextlib import ExitStack

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from recommendations.api.lane import BusyError, Lane
from recsite import lanes
from recsite.lanes import BUSY, Lanes, _enter, lane_of


@pytest.mark.django_db
@pytest.mark.usefixtures("full")
def test_who_finds_no_room_is_asked_to_come_again_and_the_shop_is_served(client: Client) -> None:
    for path in ("/", "/login/", "/admin/", "/api/docs/", "/nowhere/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        assert f'href="{path}"' in answer.content.decode()
    assert client.get("/healthz").status_code == 200
    assert client.get("/api/v1/placements/home/recommend/").status_code == 401


def test_the_login_takes_no_place_of_a_page() -> None:
    login = lane_of("/login/", "POST")
    assert login is lane_of("/password/forgotten/", "POST") is lane_of("/admin/login/", "POST")
    pages = lane_of("/customers/", "GET")
    assert login is not pages
    assert pages is lane_of("/admin/recommendations/item/import/", "POST") is lane_of("/login/", "GET")
    assert lane_of("/api/v1/events/", "POST") is lane_of("/static/css/app.css", "GET") is None


@pytest.mark.django_db
def test_a_page_that_is_still_being_sent_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_pages", lane := Lane(at_once=1, waiting=0, seconds=0, retry=2))
    pages = Lanes(lambda _request: StreamingHttpResponse(iter([b"a", b"b"])))
    for read in (0, 1, 2):
        answer = pages(RequestFactory().get("/"))
        assert isinstance(answer, StreamingHttpResponse)
        content = iter(answer)
        assert [next(content) for _ in range(read)] == [b"a", b"b"][:read]
        with pytest.raises(BusyError), lane.entered():
            pass
        answer.close()
        with lane.entered():
            pass


def test_parts_of_pages_leave_two_places_to_whole_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lanes._pages.most - lanes._parts.most == 2
    monkeypatch.setattr(lanes, "_pages", lane := Lane(at_once=lanes._pages.most, waiting=0, seconds=0, retry=2))
    part, whole = RequestFactory().get("/", headers={"HX-Request": "true"}), RequestFactory().get("/")
    with ExitStack() as inside:
        for _ in range(lanes._parts.most):
            _enter(part, lane, inside)
        with pytest.raises(BusyError):
            _enter(part, lane, inside)
        for _ in range(2):
            _enter(whole, lane, inside)
        with pytest.raises(BusyError):
            _enter(whole, lane, inside)
    with ExitStack() as inside:
        _enter(part, lane, inside)


def test_a_part_waits_for_less_long_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_pages", lane := Lane(at_once=1, waiting=1, seconds=60, retry=2))
    monkeypatch.setattr(lanes, "PART_SECONDS", 0.01)
    part = RequestFactory().get("/", headers={"HX-Request": "true"})
    with lane.entered(), pytest.raises(BusyError), ExitStack() as inside:
        _enter(part, lane, inside)


def test_a_place_is_given_back_by_a_page_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_pages", lane := Lane(at_once=1, waiting=0, seconds=0, retry=2))

    def fail(_request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Lanes(fail)(RequestFactory().get("/"))
    with lane.entered():
        pass


def test_no_room_at_the_pages_is_a_problem_of_the_api_in_its_own_form() -> None:
    answer = Lanes(lambda _request: HttpResponse())(RequestFactory().post("/api/v1/items/batch/", **{BUSY: True}))
    assert (answer.status_code, answer["Content-Type"], answer["Retry-After"]) == (503, "application/problem+json", "2")

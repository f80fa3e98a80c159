"""The API of Jellyfin and Emby, the same for both wherever it can be."""

from typing import Any

import pytest
from aiohttp import ClientSession

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    Origin,
    PlayableReport,
    Question,
    QuestionKind,
    Role,
    Tier,
    TitleRef,
    Via,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    Client,
    Connection,
    ForbiddenError,
    InstallsWebhook,
    Library,
    NeedsIndex,
    NotReadyError,
    PollView,
    RefusedError,
    ScansFolders,
    ServerFaultError,
    ServiceError,
    Sighting,
    WrongServiceError,
)
from custom_components.media_arrivals.engine.connectors.clients import make_client
from custom_components.media_arrivals.engine.connectors.emby.client import EmbyClient
from custom_components.media_arrivals.engine.connectors.jellyfin.client import JellyfinClient
from custom_components.media_arrivals.engine.connectors.mediabrowser import (
    client as client_module,
)
from custom_components.media_arrivals.engine.connectors.registry import decoder
from simulator import Stack
from simulator.mediabrowser import MediaItem
from simulator.service import json_answer
from tests.engine.connectors.mediabrowser.house import (
    FILM,
    NAMESAKE,
    SHOW,
    House,
    parts,
    playable,
    without_name,
)

HD, UHD = Tier.HD, Tier.UHD
only_jellyfin = pytest.mark.parametrize("kind", ["jellyfin"])
only_emby = pytest.mark.parametrize("kind", ["emby"])


def watched(house: House, item: MediaItem, *, about: str = "Anna") -> WatchReport:
    """Return what a webhook tells of an episode: without the ids of the series."""
    return WatchReport(
        origin=Origin(
            service=house.service.id, kind=house.service.kind, role=Role.PLAYBACK, via=Via.WEBHOOK
        ),
        at=house.now,
        happened_at=house.now,
        title=TitleRef(media_type=MediaType.SERIES, name="Tide House"),
        viewer=house.viewer(about),
        watched=True,
        parts=parts(item.season or 0, item.number) if item.number else (),
    )


# --- who it is -----------------------------------------------------------------------------


async def test_who_answers(house: House) -> None:
    found = await house.client.identify()
    assert (found.kind, found.product) == (house.server.kind, house.server.product)
    assert found.server_id == house.server.server_id
    assert (found.name, found.version) == (house.server.name, house.server.version)


async def test_what_it_can(house: House, kind: str) -> None:
    assert isinstance(house.client, Client)
    assert isinstance(house.client, InstallsWebhook)
    assert isinstance(house.client, ScansFolders)
    assert isinstance(house.client, NeedsIndex) is (kind == "jellyfin")
    assert house.client.clock_offset == 0.0
    assert decoder(kind).role is Role.PLAYBACK


async def test_a_wrong_key_is_noticed_although_anybody_may_see_the_name(
    house: House, session: ClientSession
) -> None:
    client = type(house.client)(session, Connection(url=house.server.url, api_key="wrong"))
    with pytest.raises(AuthError):
        await client.identify()
    with pytest.raises(AuthError):
        await client.poll(house.service, {}, PollView(), house.now)


async def test_the_other_of_the_two_answers(house: House, session: ClientSession) -> None:
    other = EmbyClient if isinstance(house.client, JellyfinClient) else JellyfinClient
    client = other(session, Connection(url=house.server.url, api_key=house.server.api_key))
    with pytest.raises(WrongServiceError) as caught:
        await client.identify()
    assert caught.value.detail == house.server.product


async def test_something_else_answers(session: ClientSession, socket_enabled: None) -> None:
    async with Stack.default() as stack:
        for kind in ("jellyfin", "emby"):
            client = make_client(
                kind, session, Connection(url=stack.seerr.url, api_key=stack.seerr.api_key)
            )
            with pytest.raises(WrongServiceError):
                await client.identify()


async def test_a_user_who_sees_everything_is_chosen(house: House) -> None:
    house.server.users[0].all_folders = False
    chosen = house.server.add_user("Carla", administrator=True)
    house.server.add_user("Dora", administrator=True, disabled=True)
    assert await house.client.reader() == chosen.id
    chosen.id = "99" * 16
    with pytest.raises(ServiceError):
        await house.client.page({})
    assert await house.client.reader() == chosen.id


async def test_without_users_nothing_can_be_read(house: House) -> None:
    house.server.users.clear()
    with pytest.raises(BadAnswerError):
        await house.client.reader()


# --- what can be played ------------------------------------------------------------------------


async def test_a_film_is_found_by_any_of_its_ids(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    for ids in (ExternalIds(tmdb=880010), ExternalIds(imdb="tt9900010", tmdb=1)):
        title = TitleRef(media_type=MediaType.MOVIE, ids=ids)
        found = await house.ask_title(title)
        assert playable(found) == {(None, HD): True, (None, UHD): False}
        assert {report.title for report in found} == {title}


async def test_versions_and_items_of_a_film_count_together(house: House) -> None:
    house.put_film(1080)
    house.put_film(2160)  # two versions of one item
    await house.server.scan()
    await house.begin()
    assert playable(await house.ask_title(FILM)) == {(None, HD): True, (None, UHD): True}
    house.stack.shelf.remove("/movies/Silver Ferry (2024)/ferry-2160.mkv")
    house.put_film(2160, root="/movies-4k")  # two items
    await house.server.scan()
    house.stack.clock.advance(15)
    film = house.server.find("Movie")
    both = {(None, HD): True, (None, UHD): True}
    assert playable(await house.ask_title(FILM)) == both
    assert playable(await house.ask_item(film.id)) == both


async def test_a_film_that_is_cut_wide_is_2160p_all_the_same(house: House) -> None:
    house.put_film(2160)
    await house.server.scan()
    await house.begin()
    assert playable(await house.ask_title(FILM)) == {(None, HD): False, (None, UHD): True}


async def test_what_is_not_there_is_absent(house: House) -> None:
    await house.begin()
    assert playable(await house.ask_title(FILM)) == {(None, HD): False, (None, UHD): False}
    assert playable(await house.ask_title(SHOW, 2)) == {(2, HD): [], (2, UHD): []}
    # Nobody said of which seasons: of all.
    told = await house.ask_title(SHOW)
    assert {
        (one.tier, one.playable, one.seasons, one.complete)
        for one in told
        if isinstance(one, PlayableReport)
    } == {
        (HD, False, (), True),
        (UHD, False, (), True),
    }


async def test_nothing_is_known_of_a_title_without_ids(house: House) -> None:
    await house.begin()
    assert await house.ask_title(TitleRef(media_type=MediaType.MOVIE)) == ()


async def test_a_film_and_a_series_of_one_number_do_not_meet(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    assert playable(await house.ask_title(NAMESAKE, 1)) == {(1, HD): [], (1, UHD): []}
    await house.server.delete(house.server.find("Movie"))
    house.put_episodes(1, 1, tmdb_id=880010)
    await house.server.scan()
    house.stack.clock.advance(60)
    assert playable(await house.ask_title(FILM)) == {(None, HD): False, (None, UHD): False}
    assert playable(await house.ask_title(NAMESAKE, 1))[1, HD] == [1]


async def test_episodes_are_reported_for_the_seasons_that_are_asked_for(house: House) -> None:
    house.put_episodes(1, 1, 2, 3)
    house.put_episodes(2, 1)
    house.put_episodes(0, 5)
    await house.server.scan()
    await house.begin()
    one = {(1, HD): [1, 2, 3], (1, UHD): []}
    assert playable(await house.ask_title(SHOW, 1)) == one
    every = playable(await house.ask_title(SHOW))
    assert every == {**one, (2, HD): [1], (2, UHD): [], (0, HD): [5], (0, UHD): []}
    some = playable(await house.ask_title(SHOW, 2, 7))
    assert some == {(2, HD): [1], (2, UHD): [], (7, HD): [], (7, UHD): []}


async def test_episodes_of_two_libraries_count_together(house: House) -> None:
    house.put_episodes(1, 1, 2)
    house.put_episodes(1, 1, height=2160, root="/tv-4k")
    await house.server.scan()
    await house.begin()
    expected = {(1, HD): [1, 2], (1, UHD): [1]}
    assert playable(await house.ask_title(SHOW, 1)) == expected
    series = house.server.find("Series")
    assert playable(await house.ask_item(series.id, 1)) == expected


async def test_files_with_two_episodes_and_episodes_by_date(house: House) -> None:
    house.put_episodes(1, 1, 3)
    await house.server.scan()
    house.server.find("Episode", number=1).number_end = 2
    house.put(
        "/tv/Tide House/2026-05-01.mkv",
        media_type="series",
        title="Tide House",
        tvdb_id=470021,
        season=1,
        air_date="2026-05-01",
    )
    await house.server.scan()
    await house.begin()
    found = playable(await house.ask_title(SHOW, 1))
    assert sorted(map(str, found[1, HD])) == ["1", "2", "2026-05-01", "3"]  # type: ignore[arg-type]


async def test_missing_episodes_cannot_be_played(house: House) -> None:
    house.put_episodes(1, 1)
    await house.server.scan()
    house.server.add_missing_episode(house.server.find("Series"), 1, 2)
    await house.begin()
    assert playable(await house.ask_title(SHOW, 1)) == {(1, HD): [1], (1, UHD): []}


async def test_long_series_are_read_page_by_page(house: House) -> None:
    house.put_episodes(1, *range(1, 451))
    await house.server.scan()
    await house.begin()
    found = playable(await house.ask_title(SHOW, 1))
    assert found[1, HD] == list(range(1, 451))


async def test_the_hook_of_an_episode_may_be_all_that_is_known(house: House) -> None:
    house.put_episodes(1, 1, 2)
    house.put_episodes(2, 1)
    await house.server.scan()
    await house.begin()
    episode = house.server.find("Episode", season=1, number=2)
    season = house.server.find("Season", season=2)
    assert playable(await house.ask_item(episode.id)) == {(1, HD): [1, 2], (1, UHD): []}
    assert playable(await house.ask_item(season.id)) == {(2, HD): [1], (2, UHD): []}


async def test_happened_when_it_was_added_unless_that_was_long_ago(house: House) -> None:
    house.put_film()
    await house.server.scan()
    added = house.server.find("Movie").created.timestamp()
    await house.begin()
    (hd, uhd) = await house.ask_title(FILM)
    assert abs(hd.happened_at - added) < 0.001
    assert hd.at == uhd.at == uhd.happened_at == house.now
    house.stack.clock.advance(8 * 86_400)
    (hd, _) = await house.ask_title(FILM)
    assert hd.happened_at == house.now


async def test_what_is_gone_is_answered_with_nothing_or_absence(house: House, kind: str) -> None:
    house.put_film()
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    film, series = house.server.find("Movie"), house.server.find("Series")
    await house.ask_item(film.id)
    await house.ask_item(series.id, 1)
    await house.server.delete(film)
    await house.server.delete(house.server.find("Episode"))
    assert playable(await house.ask_item(film.id)) == {(None, HD): False, (None, UHD): False}
    assert playable(await house.ask_item(series.id, 1)) == {(1, HD): [], (1, UHD): []}
    # Now its ids are forgotten, too.
    assert await house.ask_item(film.id) == ()
    assert await house.ask_item(series.id, 1) == ()
    assert await house.ask_item("../Users") == ()
    assert await house.ask(Question(service="x", kind=QuestionKind.FACTS, title=FILM)) == ()


@pytest.mark.parametrize("options", [{"ids_after": 60.0}])
async def test_ids_that_come_late_are_waited_for(house: House) -> None:
    await house.begin()
    house.put_film()
    house.put_episodes(1, 1)
    await house.server.scan()
    film, series = house.server.find("Movie"), house.server.find("Series")
    for item in (film, series, house.server.find("Episode")):
        with pytest.raises(NotReadyError) as caught:
            await house.ask_item(item.id)
        assert caught.value.key == "not_ready"
        assert caught.value.retry_after == 60
    house.stack.clock.advance(61)
    assert playable(await house.ask_item(film.id))[None, HD] is True
    assert playable(await house.ask_item(series.id, 1))[1, HD] == [1]


@only_emby
async def test_numbers_that_come_late_are_waited_for(house: House) -> None:
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    house.server.ids_after = 60
    house.put_episodes(1, 2)
    await house.server.scan()
    series = house.server.find("Series")
    with pytest.raises(NotReadyError):
        await house.ask_item(series.id)
    house.server.find("Episode", number=2).known_at = house.stack.clock.now().replace(year=2100)
    house.stack.clock.advance(client_module.SETTLES + 1)
    # By now it is believed to have none.
    assert playable(await house.ask_item(series.id)) == {(1, HD): [1], (1, UHD): []}


async def test_a_version_of_unknown_size_rules_nothing_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put_film(1080)
    await house.server.scan()
    house.put_episodes(1, 1, 2)
    await house.server.scan()
    await house.begin()
    monkeypatch.setattr(
        "simulator.mediabrowser._source",
        lambda file: (
            {"MediaStreams": [{"Type": "Video", "Width": 1920, "Height": 800}]}
            if "E01" in file.path
            else {"MediaStreams": [{"Type": "Audio"}]}
        ),
    )
    (report,) = await house.ask_title(FILM)
    assert isinstance(report, PlayableReport)
    assert (report.tier, report.playable, report.complete) == (Tier.UNKNOWN, True, False)
    found = [one for one in await house.ask_title(SHOW, 1) if isinstance(one, PlayableReport)]
    assert [(one.tier, one.parts, one.complete) for one in found] == [
        (HD, parts(1, 1), False),
        (Tier.UNKNOWN, parts(1, 2), False),
    ]


# --- who watched ---------------------------------------------------------------------------


async def test_a_watched_episode_gets_the_ids_of_its_series(house: House) -> None:
    house.put_episodes(1, 1, 2)
    await house.server.scan()
    await house.begin()
    series = house.server.find("Series")
    episode = house.server.find("Episode", number=2)
    about = watched(house, episode)
    (found,) = await house.ask_item(series.id, 1, about=about)
    assert isinstance(found, WatchReport)
    assert found.title.ids.tvdb == 470021
    assert (found.parts, found.viewer) == (parts(1, 2), house.viewer("Anna"))
    assert found.title.name == "Tide House"
    calls = house.calls()
    await house.ask_item(series.id, 1, about=about)
    assert house.calls() == calls  # its ids are known by now


async def test_a_watched_episode_of_which_only_the_id_is_known(house: House) -> None:
    house.put_episodes(3, 7)
    await house.server.scan()
    await house.begin()
    episode = house.server.find("Episode")
    about = watched(house, MediaItem(**{**_values(episode), "number": None}))
    (found,) = await house.ask_item(episode.id, about=about)
    assert isinstance(found, WatchReport)
    assert (found.parts, found.title.ids.tvdb) == (parts(3, 7), 470021)


def _values(item: MediaItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in MediaItem.__slots__}


async def test_a_watched_film_is_there_as_well(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    film = house.server.find("Movie")
    told, *there = await house.ask_item(film.id, about=watched(house, film))
    assert isinstance(told, WatchReport)
    assert (told.title.media_type, told.parts) == (MediaType.MOVIE, ())
    assert told.title.ids == FILM.ids
    assert playable(there) == {(None, HD): True, (None, UHD): False}


async def test_a_watched_episode_without_a_number_is_waited_for(house: House) -> None:
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    series = house.server.find("Series")
    with pytest.raises(NotReadyError):
        await house.ask_item(series.id, about=watched(house, series))


# --- polling -------------------------------------------------------------------------------


async def test_an_idle_poll_is_two_small_calls_whatever_is_there(house: House) -> None:
    house.server.fill(3000)
    await house.begin()
    await house.poll()
    for _ in range(3):
        house.server.reset_counts()
        found = await house.poll()
        assert (found.reports, found.questions, found.sightings) == ((), (), ())
        assert found.playing == 0
        assert len(house.server.calls) == 2
        assert sum(call.bytes for call in house.server.calls) < 1000
        house.stack.clock.advance(300)


async def test_a_poll_without_a_beginning_begins(house: House) -> None:
    house.put_film()
    await house.server.scan()
    house.stack.clock.advance(60)
    found = await house.poll()
    assert (found.questions, found.playing) == ((), 0)
    house.stack.clock.advance(60)
    assert (await house.poll()).questions == ()


async def test_new_films_and_seasons_are_asked_for(house: House) -> None:
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    house.put_film()
    house.put_episodes(1, *range(2, 30))
    house.put_episodes(2, 1, 2)
    await house.server.scan()
    found = await house.poll()
    film, series = house.server.find("Movie"), house.server.find("Series")
    assert {(one.item, one.seasons) for one in found.questions} == {
        (film.id, ()),
        (series.id, (1,)),
        (series.id, (2,)),
    }
    assert len(found.questions) == 3
    assert len(found.sightings) == 31
    assert found.sightings[0].event == "added"
    assert {one.key for one in found.sightings} >= {film.id}
    house.stack.clock.advance(60)
    await house.poll()
    house.stack.clock.advance(60)
    assert (await house.poll()).questions == ()


async def test_what_is_sighted_is_what_the_webhook_tells(house: House, kind: str) -> None:
    await house.begin()
    house.put_film()
    await house.server.scan()
    film = house.server.find("Movie")
    (sighting,) = (await house.poll()).sightings
    assert sighting.key == film.id
    assert abs(sighting.at - film.created.timestamp()) < 0.001
    if kind == "jellyfin":
        assert sighting == Sighting(event="added", key=film.id, at=sighting.at)


async def test_looks_overlap_a_little(house: House) -> None:
    await house.begin()
    house.put_film()
    await house.server.scan()
    assert (await house.poll()).questions
    house.stack.clock.advance(client_module.OVERLAP / 2)
    # What was being saved while we looked is not missed.
    assert (await house.poll()).questions
    house.stack.clock.advance(client_module.OVERLAP * 2)
    await house.poll()
    house.stack.clock.advance(60)
    assert not (await house.poll()).questions


@pytest.mark.parametrize("options", [{"file_dates": True}])
async def test_files_that_are_older_than_their_adding_are_found(house: House) -> None:
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    old = house.stack.clock.now().replace(year=2019)
    house.put_film(added_at=old)
    house.put_episodes(1, 2, added_at=old)
    await house.server.scan()
    found = await house.poll()
    film, series = house.server.find("Movie"), house.server.find("Series")
    assert {(one.item, one.seasons) for one in found.questions} == {
        (film.id, ()),
        (series.id, (1,)),
    }
    assert found.sightings == ()  # nobody knows when they were added
    assert playable(await house.ask_item(film.id))[None, HD] is True


async def test_metadata_of_the_whole_library_that_are_refreshed_ask_nothing(house: House) -> None:
    house.server.fill(500)
    await house.begin()
    for item in house.server.items.values():
        item.saved = house.stack.clock.now()
    found = await house.poll()
    assert found.checked == 500
    assert found.questions == ()


async def test_ids_that_came_late_are_seen_by_the_next_poll(house: House) -> None:
    await house.begin()
    house.server.ids_after = 60
    house.put_film()
    house.put_episodes(1, 1)
    await house.server.scan()
    assert (await house.poll()).questions == ()
    house.stack.clock.advance(90)
    found = await house.poll()
    film, series = house.server.find("Movie"), house.server.find("Series")
    asked = {(one.item, one.seasons) for one in found.questions}
    assert asked >= {(film.id, ()), (series.id, ())}


async def test_a_changed_film_is_asked_for_again(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    house.put_film(2160)
    await house.server.scan()
    (question,) = (await house.poll()).questions
    assert question.item == house.server.find("Movie").id


async def test_a_library_that_is_added_is_taken_in_over_several_polls(
    house: House, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(client_module, "PAGE", 50)
    monkeypatch.setattr(client_module, "MAX_PAGES", 3)
    await house.begin()
    house.server.fill(300)
    for item in house.server.items.values():
        item.saved = house.stack.clock.now()
    house.stack.clock.advance(60)
    seen = 0
    for _ in range(5):
        found = await house.poll()
        assert len(found.questions) <= client_module.MANY
        seen += found.checked
        if not found.cursor["start"]:
            break
        if kind == "jellyfin":
            # As long as not all of it is known, nothing is absent.
            assert await house.ask_title(FILM) == ()
    assert seen == 300
    assert playable(await house.ask_title(FILM)) == {(None, HD): False, (None, UHD): False}
    house.stack.clock.advance(60)
    assert (await house.poll()).checked == 0


async def test_what_is_added_while_a_library_is_taken_in_is_not_missed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAGE", 50)
    monkeypatch.setattr(client_module, "MAX_PAGES", 3)
    await house.begin()
    house.server.fill(200)
    for item in house.server.items.values():
        item.saved = house.stack.clock.now()
    assert (await house.poll()).cursor["start"]
    house.stack.clock.advance(60)
    house.put_film()
    await house.server.scan("/movies/Silver Ferry (2024)")
    film = house.server.find("Movie", "Silver Ferry")
    asked = []
    for _ in range(3):
        house.stack.clock.advance(60)
        asked += [one.item for one in (await house.poll()).questions]
    assert film.id in asked


async def test_what_is_being_played_is_counted_without_music(house: House) -> None:
    house.put_film()
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    server = house.server
    first = await server.play_session(server.user("Anna"), server.find("Movie"))
    await server.play_session(server.user("Ben"), server.find("Episode"))
    assert (await house.poll()).playing == 2
    await server.stop_session(first)
    assert (await house.poll()).playing == 1


@only_jellyfin
async def test_devices_that_sleep_play_nothing(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    await house.server.play_session(house.server.user("Anna"), house.server.find("Movie"))
    house.stack.clock.advance(3600)
    assert (await house.poll()).playing == 0


# --- sync --------------------------------------------------------------------------------------


async def test_a_sync_looks_at_every_open_title(house: House) -> None:
    house.put_film(2160)
    house.put_episodes(1, 1, 2)
    await house.server.scan()
    await house.begin()
    missing = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=4))
    nameless = TitleRef(media_type=MediaType.SERIES)
    found = await house.sync(FILM, SHOW, missing, nameless)
    by_title = {
        title: playable([one for one in found.reports if one.title == title])
        for title in (FILM, SHOW, missing, nameless)
    }
    assert by_title == {
        FILM: {(None, HD): False, (None, UHD): True},
        SHOW: {(1, HD): [1, 2], (1, UHD): []},
        missing: {(None, HD): False, (None, UHD): False},
        nameless: {},
    }
    assert found.checked == 4


async def test_many_open_films_are_asked_for_together(house: House) -> None:
    house.server.fill(120)
    await house.begin()
    await house.poll()
    house.server.reset_counts()
    titles = [
        TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=2_000_000 + number))
        for number in range(120)
    ]
    found = await house.sync(*titles)
    there = [one for one in found.reports if isinstance(one, PlayableReport) and one.playable]
    assert len(there) == 120
    # News, sessions, three for the films, users, and two for what they watched.
    assert house.calls() <= 9


async def test_a_sync_does_not_wait_for_late_numbers(house: House) -> None:
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    house.server.ids_after = 60
    house.put_episodes(1, 2)
    await house.server.scan()
    found = await house.sync(SHOW)
    assert playable(found.reports)[1, HD] in ([1], [1, 2])


async def test_a_sync_reads_what_everybody_watched_since(house: House) -> None:
    house.put_film()
    house.put_episodes(1, 1, 2)
    await house.server.scan()
    server = house.server
    anna, ben = server.user("Anna"), server.user("Ben")
    await server.watch(anna, server.find("Episode", number=1))
    house.stack.clock.advance(3600)
    await house.begin()
    await server.watch(anna, server.find("Movie"))
    await server.watch(ben, server.find("Episode", number=2))
    moment = house.now
    house.stack.clock.advance(3600)
    found = await house.sync()
    reports = [without_name(one) for one in found.reports if isinstance(one, WatchReport)]
    assert len(reports) == len(found.reports) == 2
    by_viewer = {one.viewer: one for one in reports}
    assert by_viewer[house.viewer("Anna")].title == FILM
    assert by_viewer[house.viewer("Ben")].title.ids.tvdb == 470021
    assert by_viewer[house.viewer("Ben")].parts == parts(1, 2)
    assert all(one.watched and one.confirmed for one in reports)
    assert all(abs(one.happened_at - moment) < 1 for one in reports)
    house.stack.clock.advance(3600)
    assert (await house.sync()).reports == ()


async def test_what_was_watched_long_ago_is_not_read(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    await house.server.watch(house.server.user("Anna"), house.server.find("Movie"))
    house.stack.clock.advance(8 * 86_400)
    assert (await house.sync()).reports == ()


async def test_much_that_was_watched_is_read_page_by_page(house: House) -> None:
    house.server.fill(300)
    await house.begin()
    anna = house.server.user("Anna")
    anna.played = dict.fromkeys(house.server.items, house.stack.clock.now())
    house.stack.clock.advance(60)
    found = await house.sync()
    assert len(found.reports) == 300


async def test_what_has_no_ids_is_not_reported_as_watched(house: House) -> None:
    house.put("/movies/Home video/one.mkv", media_type="movie", title="Home video")
    house.put("/tv/Attic/one.mkv", media_type="series", title="Attic", season=1, episode=1)
    await house.server.scan()
    await house.begin()
    for item in list(house.server.items.values()):
        house.server.user("Ben").played[item.id] = house.stack.clock.now()
    assert (await house.sync()).reports == ()


# --- folders -------------------------------------------------------------------------------


async def test_libraries_with_their_folders(house: House) -> None:
    house.server.libraries[1].kind = None
    found = {library.name: library for library in await house.client.libraries()}
    assert set(found) == {"Films", "Films 4K", "Series", "Series 4K"}
    assert found["Films"] == Library(
        id=house.server.libraries[0].id,
        name="Films",
        media_type=MediaType.MOVIE,
        folders=("/data/media/movies",),
    )
    assert found["Films 4K"].media_type is None
    assert found["Series"].media_type is MediaType.SERIES


async def test_a_folder_is_looked_into(house: House) -> None:
    await house.begin()
    library = next(one for one in await house.client.libraries() if one.name == "Films")
    house.put_film()
    house.put_film(2160, root="/movies-4k")
    await house.client.scan(library, "/data/media/movies/Silver Ferry (2024)")
    await house.server.settle()
    assert len(house.server.items) == 1
    assert playable(await house.ask_title(FILM)) == {(None, HD): True, (None, UHD): False}


async def test_a_whole_library_is_looked_into(house: House) -> None:
    library = next(one for one in await house.client.libraries() if one.name == "Series")
    house.put_film()
    house.put_episodes(1, 1)
    await house.client.scan(library, None)
    await house.server.settle()
    assert {item.kind for item in house.server.items.values()} == {"Series", "Season", "Episode"}


# --- what goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("401", AuthError),
        ("403", ForbiddenError),
        ("429", ServerFaultError),
        ("500", ServerFaultError),
        ("html", BadAnswerError),
        ("invalid_json", BadAnswerError),
    ],
)
async def test_faults_have_names(house: House, fault: str, error: type[ServiceError]) -> None:
    await house.begin()
    house.server.misbehave(fault)
    for work in (house.poll, house.sync, house.client.libraries):
        with pytest.raises(error):
            await work()
    house.server.behave()
    await house.poll()


async def test_a_server_that_is_down(house: House) -> None:
    await house.begin()
    await house.server.go_down()
    with pytest.raises(RefusedError) as caught:
        await house.poll()
    assert house.server.api_key not in repr(caught.value)
    await house.server.go_up()
    await house.poll()


@pytest.mark.parametrize("answer", [{}, [], {"items": []}])
async def test_answers_of_another_shape(
    house: House, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    monkeypatch.setattr(
        "simulator.mediabrowser.MediaBrowserDouble._paged", lambda *_: json_answer(answer)
    )
    for work in (house.poll(), house.ask_title(SHOW), house.sync(FILM)):
        with pytest.raises(BadAnswerError):
            await work


@pytest.mark.parametrize("options", [{"url_base": "/media"}])
async def test_below_a_base_path(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    assert (await house.client.identify()).server_id == house.server.server_id
    assert playable(await house.ask_title(FILM))[None, HD] is True


# --- clocks and memory -----------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [7200.0, -7200.0])
async def test_a_server_whose_clock_is_wrong(house: House, ahead: float) -> None:
    house.server.ahead = ahead
    house.put_episodes(1, 1)
    await house.server.scan()
    await house.begin()
    assert house.client.clock_offset == ahead
    house.put_film()
    await house.server.scan()
    film = house.server.find("Movie")
    anna = house.server.user("Anna")
    await house.server.watch(anna, house.server.find("Episode"))
    added = house.now
    found = await house.poll()
    assert [one.item for one in found.questions] == [film.id]
    (sighting,) = found.sightings
    assert sighting.at == pytest.approx(added)
    assert (await house.ask_item(film.id))[0].happened_at == pytest.approx(added)
    house.stack.clock.advance(600)
    (report,) = (await house.sync()).reports
    assert report.happened_at == pytest.approx(added)
    house.stack.clock.advance(600)
    found = await house.sync()
    assert (found.questions, found.reports) == ((), ())


async def test_a_clock_that_is_set_back_hides_nothing(house: House) -> None:
    house.server.ahead = 7200.0
    await house.begin()
    await house.poll()
    house.server.ahead = 0.0
    house.put_film()
    await house.server.scan()
    await house.poll()  # shows what the clock says now
    found = await house.poll()
    assert [one.item for one in found.questions] == [house.server.find("Movie").id]


@only_jellyfin
async def test_without_an_index_nothing_is_absent(house: House) -> None:
    house.put_film()
    house.put_episodes(1, 1)
    await house.server.scan()
    assert isinstance(house.client, JellyfinClient)
    house.client.index = None
    assert await house.ask_title(FILM) == ()
    assert await house.ask_title(SHOW, 1) == ()
    assert await house.ask_item("ff" * 16) == ()
    await house.poll()
    house.stack.clock.advance(60)
    await house.poll()


@only_jellyfin
async def test_an_index_that_is_not_complete_finds_and_rules_nothing_out(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    assert isinstance(house.client, JellyfinClient)
    house.client.index_complete = False
    assert playable(await house.ask_title(FILM))[None, HD] is True
    assert await house.ask_title(SHOW, 1) == ()


@only_jellyfin
async def test_the_index_is_read_page_by_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "custom_components.media_arrivals.engine.connectors.jellyfin.client.INDEX_PAGE", 100
    )
    house.server.fill(455)
    house.put_episodes(1, 1)
    await house.server.scan()
    client = house.client
    assert isinstance(client, JellyfinClient)
    seen: dict[str, int] = {}
    resume, pages, done = None, 0, 0
    while True:
        page = await client.index_page(resume)
        seen.update((entry.item, pages) for entry in page.entries)
        pages, done, resume = pages + 1, page.done, page.resume
        assert page.total == 456
        if resume is None:
            break
    assert len(seen) == done == 456
    assert pages <= 6
    assert all(call.bytes < 100_000 for call in house.server.calls)


@only_jellyfin
async def test_what_was_just_imported_is_found_without_waiting_for_a_poll(house: House) -> None:
    await house.begin()
    assert playable(await house.ask_title(FILM))[None, HD] is False
    house.put_film()
    await house.server.scan()
    house.stack.clock.advance(15)
    assert playable(await house.ask_title(FILM))[None, HD] is True


@only_jellyfin
async def test_more_than_can_be_taken_in_at_once_makes_nothing_absent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MAX_PAGES", 1)
    await house.begin()
    house.server.fill(100)
    for item in house.server.items.values():
        item.saved = house.stack.clock.now()
    house.stack.clock.advance(60)
    assert await house.ask_title(FILM) == ()
    monkeypatch.setattr(client_module, "MAX_PAGES", 10)
    await house.poll()
    assert playable(await house.ask_title(FILM))[None, HD] is False


@only_jellyfin
async def test_an_item_that_became_another_film_is_not_taken_for_the_old_one(house: House) -> None:
    house.put_film()
    await house.server.scan()
    await house.begin()
    house.stack.clock.advance(7200)
    film = house.server.find("Movie")
    film.providers = {"Tmdb": "4"}
    assert playable(await house.ask_title(FILM)) == {(None, HD): False, (None, UHD): False}
    other = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=4))
    assert playable(await house.ask_title(other))[None, HD] is True


@only_emby
async def test_what_emby_said_last_is_remembered_within_bounds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.engine.connectors.emby.client.KEPT", 5)
    house.server.fill(30)
    items = list(house.server.items)
    await house.client.read(items)
    known = [item for item in items if await house.client.known(item)]
    assert len(known) == 5


async def test_what_was_watched_without_end_is_read_within_bounds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAGE", 20)
    monkeypatch.setattr(client_module, "MAX_HISTORY_PAGES", 2)
    house.server.fill(100)
    await house.begin()
    anna = house.server.user("Anna")
    anna.played = dict.fromkeys(house.server.items, house.stack.clock.now())
    assert len((await house.sync()).reports) == 40

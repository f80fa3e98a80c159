"""The benchmarks measure with what the integration takes for real."""

from benchmarks.household import EPISODES, OVERVIEW, RADARR, FilmStory, SeasonStory, story, texts
from benchmarks.seed import empty_board
from benchmarks.traffic import Film, grab, imported
from custom_components.media_arrivals.engine.board.models import Outcome, Stage
from custom_components.media_arrivals.engine.connectors.base import Delivery
from custom_components.media_arrivals.engine.connectors.radarr.decode import RadarrDecoder

BEGAN = 1_780_000_000.0


def test_texts_are_the_same_each_time_and_others_for_others() -> None:
    assert texts(7) == texts(7)
    assert texts(7) != texts(8)
    assert len(texts(7).overview) == OVERVIEW


def test_of_five_stories_four_are_films() -> None:
    stories = [story(number, BEGAN) for number in range(40)]

    seasons = {(one.number, one.season) for one in stories if isinstance(one, SeasonStory)}
    assert len(seasons) == 8
    assert len({one.number for one in stories if isinstance(one, FilmStory)}) == 32


def test_every_report_of_a_story_is_news_and_it_ends_well() -> None:
    board = empty_board()

    for one in (story(0, BEGAN), story(4, BEGAN)):
        for report in one.asked():
            applied = board.apply(report, now=report.at + 1, silent=True)
            assert applied.outcome is Outcome.PROCESSED
        for report in one.come():
            assert board.apply(report, now=report.at + 1).outcome is Outcome.PROCESSED

    film, season = board.arrivals()
    assert (film.stage, season.stage) == (Stage.AVAILABLE, Stage.AVAILABLE)
    assert (season.available, season.total) == (EPISODES, EPISODES)
    assert len(board.requests_of(film)) == 1


def test_bodies_tell_of_the_film_that_is_on_the_board() -> None:
    board = empty_board()
    board.apply(FilmStory.of(3, BEGAN).held(), now=BEGAN, silent=True)

    stages = []
    for body in (grab(Film.known(3)), imported(Film.known(3))):
        delivery = Delivery(body=body, received_at=BEGAN + 10)
        for report in RadarrDecoder().decode(RADARR, delivery).reports:
            board.apply(report, now=BEGAN + 20)
        stages.append(next(iter(board.arrivals())).stage)

    assert len(tuple(board.arrivals())) == 1
    assert stages[0] is Stage.DOWNLOADING
    assert stages[1] is Stage.DOWNLOADED


def test_a_film_of_the_library_is_another_one() -> None:
    decoded = RadarrDecoder().decode(
        RADARR, Delivery(body=grab(Film.of_library(0)), received_at=BEGAN)
    )

    (report,) = decoded.reports
    assert report.title.ids.tmdb == 100_040
    assert not Film.of_library(0).is_known
    assert Film.known(0).is_known

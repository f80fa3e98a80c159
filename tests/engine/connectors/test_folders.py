"""A title's folder is found again under the roots of a media server."""

import pytest
from hypothesis import given, strategies as st

from custom_components.media_arrivals.engine.board.models import MediaType
from custom_components.media_arrivals.engine.connectors.base import Library
from custom_components.media_arrivals.engine.connectors.folders import match_folder

FILM = MediaType.MOVIE
SERIES = MediaType.SERIES


def library(name: str, *folders: str, media_type: MediaType | None = FILM) -> Library:
    return Library(id=name, name=name, media_type=media_type, folders=folders)


def found(folder: str, *libraries: Library, media_type: MediaType = FILM) -> tuple[str, str] | None:
    match = match_folder(folder, libraries, media_type)
    return None if match is None else (match[0].name, match[1])


@pytest.mark.parametrize(
    ("folder", "root", "named"),
    [
        ("/movies/Salt Tower (2026)", "/data/media/movies", "/data/media/movies/Salt Tower (2026)"),
        ("/data/media/movies/Salt Tower", "/movies", "/movies/Salt Tower"),
        ("/data/media/movies/Salt Tower", "/data/media/movies", "/data/media/movies/Salt Tower"),
        ("/movies/Salt Tower/", "/data/media/movies/", "/data/media/movies/Salt Tower"),
        ("/movies/./Salt Tower", "/data//movies", "/data//movies/Salt Tower"),
        ("/movies/S/Salt Tower", "/data/movies", "/data/movies/S/Salt Tower"),
        ("/Movies/Salt Tower", "/data/movies", "/data/movies/Salt Tower"),
        ("D:\\Media\\Movies\\Salt Tower", "/data/movies", "/data/movies/Salt Tower"),
        ("D:/Media/Movies/Salt Tower", "/data/movies", "/data/movies/Salt Tower"),
        ("/movies/Salt Tower", "D:\\Media\\Movies", "D:\\Media\\Movies\\Salt Tower"),
        ("/movies/Salt Tower", "D:/Media/Movies", "D:/Media/Movies/Salt Tower"),
        ("/movies/Salt Tower", "\\\\nas\\share\\movies\\", "\\\\nas\\share\\movies\\Salt Tower"),
        ("\\\\nas\\movies\\Salt Tower", "/mnt/movies", "/mnt/movies/Salt Tower"),
        ("/movies/Back\\slash", "/data/movies", "/data/movies/Back\\slash"),
        ("/films-e\u0301/Salt Tower", "/data/films-\u00e9", "/data/films-\u00e9/Salt Tower"),
        ("/movies/Movies", "/data/movies", "/data/movies/Movies"),
        ("/tv/movies/Salt Tower", "/data/movies", "/data/movies/Salt Tower"),
    ],
)
def test_the_end_of_the_librarys_folder_is_found_in_the_titles(
    folder: str, root: str, named: str
) -> None:
    assert found(folder, library("Films", root)) == ("Films", named)


@pytest.mark.parametrize(
    ("folder", "root"),
    [
        ("/movies/Salt Tower", "/data/films"),
        ("/movies-4k/Salt Tower", "/data/movies"),
        ("/films/Movies", "/data/movies"),
        ("/movies", "/data/movies"),
        ("E:\\Salt Tower", "D:\\"),
        ("/movies/../etc", "/data/movies"),
        ("/movies/Salt Tower", "/data/../movies"),
        ("", "/movies"),
        ("/movies/Salt Tower", ""),
        ("/movies/Salt\nTower", "/movies"),
        ("/movies/" + "a" * 5000, "/movies"),
        ("/movies" + "/a" * 80, "/movies"),
        ("/", "/"),
    ],
)
def test_what_does_not_fit_is_not_found(folder: str, root: str) -> None:
    assert found(folder, library("Films", root)) is None


def test_a_drive_of_its_own_is_a_library() -> None:
    assert found("D:\\Salt Tower", library("Films", "D:\\")) == ("Films", "D:\\Salt Tower")


def test_the_longest_agreement_counts() -> None:
    films, kids = library("Films", "/data/movies"), library("Kids", "/data/movies/kids")
    assert found("/movies/kids/Salt Tower", films, kids) == (
        "Kids",
        "/data/movies/kids/Salt Tower",
    )
    assert found("/movies/Salt Tower", kids, films) == ("Films", "/data/movies/Salt Tower")
    hd, uhd = library("HD", "/data/hd/movies"), library("4K", "/data/4k/movies")
    assert found("/4k/movies/Salt Tower", hd, uhd) == ("4K", "/data/4k/movies/Salt Tower")
    assert found("/data/hd/movies/Salt Tower", uhd, hd) == ("HD", "/data/hd/movies/Salt Tower")


def test_of_two_that_fit_alike_none_is_guessed() -> None:
    hd, uhd = library("HD", "/data/hd/movies"), library("4K", "/data/4k/movies")
    assert found("/movies/Salt Tower", hd, uhd) is None
    assert found("/movies/Salt Tower", library("All", "/a/movies", "/b/movies")) is None


def test_of_two_libraries_on_one_folder_either_will_do() -> None:
    one, two = library("One", "/data/movies"), library("Two", "/data/movies")
    assert found("/movies/Salt Tower", one, two) == ("One", "/data/movies/Salt Tower")


def test_a_whole_folder_fits_better_than_the_end_of_one() -> None:
    deep, whole = library("Deep", "/data/4k/movies"), library("Whole", "/movies")
    assert found("/movies/Salt Tower", deep, whole) == ("Whole", "/movies/Salt Tower")


def test_spelling_and_closeness_to_the_title_decide_last() -> None:
    lower, upper = library("Lower", "/a/movies"), library("Upper", "/a/Movies")
    assert found("/x/Movies/Salt Tower", lower, upper) == ("Upper", "/a/Movies/Salt Tower")
    anime, films = library("Anime", "/a/anime"), library("Films", "/a/films")
    assert found("/x/anime/films/Salt Tower", anime, films) == ("Films", "/a/films/Salt Tower")


def test_only_libraries_that_hold_such_titles_count() -> None:
    films = library("Films", "/data/media")
    shows = library("Shows", "/data/media", media_type=SERIES)
    both = library("Both", "/data/media", media_type=None)
    assert found("/media/Tide", films, shows, media_type=SERIES) == ("Shows", "/data/media/Tide")
    assert found("/media/Tide", films, media_type=SERIES) is None
    assert found("/media/Tide", both, films) == ("Films", "/data/media/Tide")
    assert found("/media/Tide", both, media_type=SERIES) == ("Both", "/data/media/Tide")


@given(st.text(), st.text())
def test_whatever_comes_nothing_breaks(folder: str, root: str) -> None:
    match = match_folder(folder, [library("Films", root)], FILM)
    assert match is None or match[1].startswith(root.rstrip("\\/"))

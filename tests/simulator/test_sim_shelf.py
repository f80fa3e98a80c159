"""The disk of the simulated house holds what Radarr and Sonarr put there, and no more."""

from datetime import UTC, datetime

from simulator.shelf import Shelf, ShelfFile, mounted, unmounted
from simulator.stack import Stack


def _file(path: str) -> ShelfFile:
    return ShelfFile(
        path=path,
        media_type="movie",
        title="Amber Ferry",
        year=2020,
        added_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_a_folder_holds_what_is_below_it_and_not_what_begins_alike() -> None:
    """A folder's name is not a prefix of another folder's files."""
    shelf = Shelf()
    shelf.put(_file("/movies/Amber Ferry (2020)/a.mkv"))
    shelf.put(_file("/movies-4k/Amber Ferry (2020)/a.mkv"))
    assert [file.path for file in shelf.under("/movies/")] == ["/movies/Amber Ferry (2020)/a.mkv"]
    assert len(shelf.under("/")) == 2


def test_listeners_hear_of_each_file_once() -> None:
    """What is put and removed is told; what is not there is not removed again."""
    shelf, heard = Shelf(), []
    shelf.listeners.append(lambda path, file: heard.append((path, file is not None)))
    shelf.put(_file("/movies/a.mkv"))
    shelf.remove("/movies/a.mkv")
    shelf.remove("/movies/a.mkv")
    assert heard == [("/movies/a.mkv", True), ("/movies/a.mkv", False)]
    assert not shelf.files


def test_a_media_server_sees_the_disk_elsewhere() -> None:
    """Paths translate both ways; what is not of the disk has no place on it."""
    assert mounted("/tv/The Mill") == "/data/media/tv/The Mill"
    assert unmounted("/data/media/tv/The Mill") == "/tv/The Mill"
    assert unmounted("/data/mediaeval") is None


async def test_an_upgraded_film_is_one_file_of_its_new_height() -> None:
    """An import puts the file, an upgrade replaces it, a deletion takes it away."""
    stack = Stack()
    radarr = stack.add_radarr()
    movie = await radarr.add_movie(stack.catalogue.film("Amber Ferry", 2020))
    await radarr.import_file(await radarr.grab(movie))
    assert [file.height for file in stack.shelf.files.values()] == [1080]
    await radarr.import_file(await radarr.grab(movie, quality="WEBDL-2160p"))
    await radarr.rename_file(movie)
    (file,) = stack.shelf.under("/movies/Amber Ferry (2020)")
    assert (file.height, file.tmdb_id) == (2160, movie.film.tmdb_id)
    await radarr.delete_file(movie)
    assert not stack.shelf.files


async def test_a_film_removed_without_its_files_leaves_them() -> None:
    """The files go only with the film's deletion that says so."""
    stack = Stack()
    radarr = stack.add_radarr()
    kept = radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
    gone = radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
    await radarr.delete_movie(kept, files=False)
    await radarr.delete_movie(gone, files=True)
    assert [file.tmdb_id for file in stack.shelf.files.values()] == [kept.film.tmdb_id]


async def test_episodes_are_files_of_their_series() -> None:
    """A season pack puts one file for each episode, under the series' ids."""
    stack = Stack()
    sonarr = stack.add_sonarr()
    show = stack.catalogue.show("The Mill", seasons={1: 3})
    series = await sonarr.add_series(show)
    await sonarr.import_files(await sonarr.grab(series.season(1)))
    files = stack.shelf.under("/tv/The Mill/Season 1")
    assert [(file.season, file.episode) for file in files] == [(1, 1), (1, 2), (1, 3)]
    assert {file.tvdb_id for file in files} == {show.tvdb_id}
    await sonarr.rename_files(series)
    assert len(stack.shelf.files) == 3
    await sonarr.delete_file(series.episodes[0])
    await sonarr.delete_series(series)
    assert not stack.shelf.files


async def test_the_radarr_for_4k_has_a_disk_folder_of_its_own() -> None:
    """HD and 4K copies of one film are two files in two places."""
    stack = Stack.default()
    film = stack.catalogue.film("Amber Ferry", 2020)
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    stack.radarr_4k.put_movie(film, quality="WEBDL-2160p")
    assert [file.height for file in stack.shelf.under("/movies-4k")] == [2160]
    assert [file.height for file in stack.shelf.under("/movies")] == [1080]

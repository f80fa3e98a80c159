"""Rounds through what is open: how many pieces at a time, and what is absent."""

import pytest

from custom_components.media_arrivals.engine.connectors.seerr.rounds import Round


def taken(tour: Round, *pages: list[int], total: int, known: set[int]) -> bool:
    """Take pages; tell whether nothing moved."""
    return all(tour.take(page, total, partial=(), known=known) for page in pages)


def test_what_was_on_no_page_is_absent_at_the_end_and_not_before() -> None:
    tour = Round(begun=0.0)
    assert taken(tour, [9, 8], total=4, known={9, 5, 1})
    assert (tour.listed, tour.alone) == (False, [])
    assert taken(tour, [7, 6], total=4, known={9, 5, 1})
    assert (tour.listed, tour.alone) == (True, [1, 5])


def test_an_empty_list_is_a_whole_one() -> None:
    tour = Round(begun=0.0)
    assert taken(tour, [], total=0, known={3})
    assert (tour.listed, tour.alone) == (True, [3])


@pytest.mark.parametrize(("page", "total"), [([7, 6], 5), ([7, 6], 3), ([], 4)])
def test_a_list_of_another_length_or_cut_short_says_nothing(page: list[int], total: int) -> None:
    tour = Round(begun=0.0)
    assert taken(tour, [9, 8], total=4, known={1})
    assert not taken(tour, page, total=total, known={1})
    assert tour.alone == []


def test_no_more_is_taken_at_once_than_the_hour_needs() -> None:
    tour = Round(begun=0.0)
    # Forty rows, nine at a time, and two titles: seven pieces.
    left = tour.left(40, 9, 2)
    assert left == 7
    assert tour.due(left, 0.0, 300.0) == 1
    assert tour.due(left, 0.0, 900.0) == 2
    assert tour.due(left, 3000.0, 300.0) == 4
    # Of a round that is too late all the rest is taken.
    assert tour.due(left, 3500.0, 300.0) == 7
    assert tour.due(left, 9000.0, 300.0) == 7
    assert tour.due(left, 0.0, 0.0) == 1


def test_the_pieces_that_are_left_become_fewer() -> None:
    tour = Round(begun=0.0)
    assert tour.left(0, 9, 0) == 1
    assert taken(tour, [9, 8], total=4, known={1, 2})
    assert tour.left(99, 2, 1) == 2
    assert taken(tour, [7, 6], total=4, known={1, 2})
    assert tour.left(99, 2, 1) == 3
    tour.alone.clear()
    tour.titles = 1
    assert tour.left(99, 2, 1) == 0


def test_a_round_goes_on_after_a_restart() -> None:
    tour = Round(begun=5.0)
    assert tour.take([9, 8], 4, partial=[8], known={1})
    assert Round.of(tour.cursor()) == tour
    assert Round.of(None) is None
    assert Round.of({"begun": "x"}) is None

"""The board: titles, arrivals and requests, and the only thing that changes them."""

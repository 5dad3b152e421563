"""The model that comes along: which lines it learns from."""

from pipeline.lyrics.language_model.pretraining import WINDOW, is_song, songs_among


def test_songs_are_found_among_lines():
    verse = [f"And all the {at} of the sea by {('night', 'light')[at % 2]}" for at in range(WINDOW)]
    prose = ["this is a line of the preface, which goes on and on to the end of the page"] * WINDOW
    foreign = ["Es ist ein Brunnen vor dem Tor", "Es war ein Knabe an dem Tor"] * (WINDOW // 2)
    assert is_song(verse) and not is_song(prose) and not is_song(foreign)
    assert list(songs_among([*prose, *verse, *foreign, *verse, *prose])) == [verse]

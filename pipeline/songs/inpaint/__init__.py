"""Music around given notes: accompaniment, bars made anew, continuation."""

"""HTML pages that open by double click: album, data set, transcriptions, ranking."""

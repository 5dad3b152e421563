"""Songs that a person kept in the studio, which the album has in place of those that it would make."""

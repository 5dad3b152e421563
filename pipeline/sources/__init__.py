"""Where music comes from: the catalog of a data set, folders, spreadsheets, downloads, archives, Debian packages."""

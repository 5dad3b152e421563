"""The prepared set's page: counts, charts, tables, examples, commands that go on."""

"""Sound as the page plays it: windows of two bars, the processes that play them, and the balance of the mix."""

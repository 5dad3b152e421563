"""Song lyrics with a form: plan, lexicon, line sampling, scoring, titles."""

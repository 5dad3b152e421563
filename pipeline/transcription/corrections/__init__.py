"""Corrections of transcriptions by the user: notes and beats from elsewhere, and stems to hear instead of the mix."""

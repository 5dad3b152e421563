"""Songs to projects of digital audio workstations (DAWproject, REAPER), and to loops cut at the bar."""

"""The people's door: pages. The screens of the three people at work come here; so far there is the front page."""

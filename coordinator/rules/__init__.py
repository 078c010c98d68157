"""What the law, the programme and the agency's policy say, as pure questions: facts in, findings out."""

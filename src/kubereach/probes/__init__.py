"""One file per probe: what to ask where, how the evidence answers it, and what each world would answer.

Active tests and passive commands alike are questions to the world. Each module defines

BACKGROUND   answer -> probability where a world says nothing about it
sightings    Network -> what the evidence answers already
predict      World, Question -> answer -> probability, or None when the world says nothing
offers       Network -> questions worth asking, with the command, the cost, and who must run it
means        World, Question -> what the answer means in that world, in words
"""

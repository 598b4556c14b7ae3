"""What a real cluster of the scenario's kind would hold in its API, and an API server that the real kubectl takes.

`objects` and `agents` make the objects, `tables` prints them as the API server does, `api` serves them, `execute`
stands in for the kubelet where kubectl would run a command in a pod.
"""

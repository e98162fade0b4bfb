"""A whole cluster on loopback: NATS servers, nodes, a balancer; to look at, and to kill."""

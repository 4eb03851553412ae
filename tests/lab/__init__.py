"""A laboratory of small networks, made of Linux network namespaces on one machine.

    isolation    puts this process into a private world; nothing it does to networks is seen outside
    namespace    one network namespace: a machine with its own interfaces, addresses and firewall
    topology     an internet of hosts, and routers with private hosts behind them
    description  the language in which a topology is one line
    machine      hosts and routers, and what may happen to them
    network      a bridge into which machines are plugged
    nat          what a router does to packets: one function per kind of NAT
    firewall     what a host lets in
    cable        what connects a machine to a network: a wire, or a link with delay and loss
    line         what a link is like
    tap          the devices at the ends of a link; the program between them is in emulator/
    fault        losses that nobody is told of
    reflector    a server that tells visitors how the world sees them
    punch        what hole punching does, by plain sockets
    dns          a DNS server inside a host's namespace
    service      servers that run inside a host's namespace, for tests to talk to
    terminal     runs a command on a terminal and answers its questions
    node         real open-chat nodes, and their command-line client

README.md describes the networks.
"""

"""A laboratory of small networks, made of Linux network namespaces on one machine.

    isolation   puts this process into a private world; nothing it does to networks is seen outside
    namespace   one network namespace: a machine with its own interfaces, addresses and firewall
    topology    an internet of public hosts, and routers with private hosts behind them
    nat         what a router does to packets: one function per kind of NAT
    fault       losses that nobody is told of
    dns         a DNS server inside a host's namespace
    service     servers that run inside a host's namespace, for tests to talk to
    terminal    runs a command on a terminal and answers its questions
    node        real open-chat nodes, and their command-line client
"""

# SPDX-License-Identifier: Apache-2.0
"""All servers that bench/run can compare, in the order in which they are shown."""
from . import limit, nginx, node, others, pronghorn
from .one_worker import SUFFIX, with_one_worker

PEERS = {peer.name: peer for peer in (
    pronghorn.Pronghorn(), pronghorn.WithLog(), nginx.Nginx(), nginx.Deferred(), nginx.WithLog(), others.H2o(),
    others.Lighttpd(), others.Haproxy(), node.Node(), node.NodeCluster(), limit.Limit(), limit.Sendfile(),
    with_one_worker(pronghorn.Pronghorn()), with_one_worker(nginx.Nginx()), with_one_worker(limit.Limit()))}


def select(row, names, options):
    """({name: peer} with a part in this row, {name: why not}); whoever is taken has its twin of one worker beside it where the
    row has one."""
    taken, left_out = {}, {}
    twins = [name + SUFFIX for name in names if name + SUFFIX in row.more]
    for name in dict.fromkeys([*names, *twins]):
        peer = PEERS[name]
        if name not in row.more and (peer.only_named or (row.only and name not in row.only)):
            continue
        why = peer.missing(options) or peer.unfit(row, options)
        if why:
            left_out[name] = why
        else:
            taken[name] = peer
    return taken, left_out

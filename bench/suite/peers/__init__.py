# SPDX-License-Identifier: Apache-2.0
"""All servers that bench/run can compare, in the order in which they are shown."""
from . import limit, nginx, node, others, pronghorn

PEERS = {peer.name: peer for peer in (
    pronghorn.Pronghorn(), pronghorn.WithLog(), nginx.Nginx(), nginx.Deferred(), nginx.WithLog(), others.H2o(),
    others.Lighttpd(), others.Haproxy(), node.Node(), node.NodeCluster(), limit.Limit(), limit.Sendfile())}


def select(row, names, options):
    """({name: peer} with a part in this row, {name: why not})."""
    taken, left_out = {}, {}
    for name in names:
        peer = PEERS[name]
        if name not in row.more and (peer.only_named or (row.only and name not in row.only)):
            continue
        why = peer.missing(options) or peer.unfit(row, options)
        if why:
            left_out[name] = why
        else:
            taken[name] = peer
    return taken, left_out

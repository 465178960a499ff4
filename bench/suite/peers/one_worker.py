# SPDX-License-Identifier: Apache-2.0
"""A peer with one worker, in a row of several: measured in the same rounds, so that they can be compared."""
import dataclasses

SUFFIX = "-1"


def with_one_worker(peer):
    """What `peer` is, but that it has one worker whatever the row says; the row's CPUs are its as well."""
    class OneWorker(type(peer)):
        name, only_named = peer.name + SUFFIX, True

        def start(self, setting):
            return super().start(dataclasses.replace(setting, row=dataclasses.replace(setting.row, workers=1)))

    return OneWorker()

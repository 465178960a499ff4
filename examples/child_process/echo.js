// SPDX-License-Identifier: Apache-2.0
process.on('message', (message) => process.send(message));

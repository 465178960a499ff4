-- SPDX-License-Identifier: Apache-2.0
-- For wrk, run by bench/run: "wrk … -s wrk.lua -- DEPTH POST_BYTES QUERIES". Sends DEPTH requests at once, with a
-- body where POST_BYTES is not 0, with one query after the other where QUERIES is not 0, and prints the outcome as one line of JSON.
function init(args)
  local depth, post, queries = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  if queries > 0 then
    local all, next_one = {}, 0
    for i = 1, queries do all[i] = wrk.format(nil, string.format("%s?%06d", wrk.path, i - 1)) end
    request = function()  -- they are made before: one look into a table for each
      next_one = next_one % queries + 1
      return all[next_one]
    end
    return
  end
  if post > 0 then
    wrk.method, wrk.body = "POST", string.rep("x", post)
    local one = wrk.format()
    request = function() return one end
    return
  end
  if depth == 1 then return end  -- wrk's own request: no Lua call for each
  local requests = {}
  for i = 1, depth do requests[i] = wrk.format() end
  local batch = table.concat(requests)
  request = function() return batch end
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"duration_us":%d,"bytes":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,"errors":%d,"non_2xx":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    latency:percentile(99.9), e.connect + e.read + e.write + e.timeout, e.status))
end

-- Sends the requests of a file, one after the other, and tells what came of them as JSON.
-- wrk -s load.lua URL -- FILE once|again: requests are parted by NUL; `once`: to run out of them is told.
local requests, at, may_repeat = {}, 0, false
local threads = {}
ran_out = false

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for request in file:read("*a"):gmatch("[^%z]+") do
    requests[#requests + 1] = request
  end
  file:close()
  may_repeat = args[2] == "again"
end

function request()
  at = at + 1
  if at > #requests then
    at = 1
    ran_out = not may_repeat
  end
  return requests[at]
end

function done(summary, latency)
  local ran_out = false
  for _, thread in ipairs(threads) do
    ran_out = ran_out or thread:get("ran_out")
  end
  local errors = summary.errors
  -- `status` counts 400 and above. Nothing here redirects.
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%f,"refused":%d,"broken":%d,"p50Ms":%f,"p99Ms":%f,"ranOut":%s}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, tostring(ran_out)))
end

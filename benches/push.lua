-- wrk: the same signed push again and again, each with a delivery id of its own.
local file = assert(io.open(os.getenv("PUSH_BODY"), "rb"))
local body = file:read("*a")
file:close()

local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local count = 0
local seed = os.getenv("PUSH_SEED")
function request()
  count = count + 1
  return wrk.format("POST", "/hooks/github", {
    ["Content-Type"] = "application/json",
    ["X-GitHub-Event"] = "push",
    ["X-GitHub-Delivery"] = seed .. "-" .. number .. "-" .. count,
    ["X-Hub-Signature-256"] = os.getenv("PUSH_SIGNATURE"),
  }, body)
end

function done(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %.1f %d %.3f %.3f %d\n", summary.requests / (summary.duration / 1e6),
    summary.requests, latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad))
end

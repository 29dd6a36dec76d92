-- For wrk: sends the same signed push again and again, each time with another delivery id.
local file = assert(io.open(os.getenv("PUSH_BODY"), "rb"))
local body = file:read("*a")
file:close()

local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

-- Two loads of one run never have the same PUSH_SEED; two runs with the same seed never begin in the same
-- second.
function init()
  math.randomseed(tonumber(os.getenv("PUSH_SEED")) * 16 + number)
  math.randomseed(math.random(0, 2 ^ 52) + os.time())
end

-- A random UUID, as GitHub sends it, so that each lies at another place of the index of known deliveries. The
-- count at its end makes it unique within a thread, its 106 random bits among all threads.
local random, count = math.random, 0
local function delivery()
  count = count + 1
  return string.format("%08x-%04x-4%03x-%04x-%08x%04x", random(0, 0xffffffff), random(0, 0xffff), random(0, 0xfff),
    random(0x8000, 0xbfff), random(0, 0xffffffff), count % 0x10000)
end

function request()
  return wrk.format("POST", "/hooks/github", {
    ["Content-Type"] = "application/json",
    ["X-GitHub-Event"] = "push",
    ["X-GitHub-Delivery"] = delivery(),
    ["X-Hub-Signature-256"] = os.getenv("PUSH_SIGNATURE"),
  }, body)
end

function done(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %.1f %d %.3f %.3f %d\n", summary.requests / (summary.duration / 1e6),
    summary.requests, latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad))
end

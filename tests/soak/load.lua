-- What each thread of wrk sends: pushes (a job that is held when nobody knows), creations of tags
-- (a job that is tried again), repeats of deliveries sent before, and forgeries. Each answer 2xx is
-- written to a file, a line each.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(args)
  directory, round, signature = args[1], args[2], args[3]
  local file = io.open(args[4], "rb")
  body = file:read("*a")
  file:close()
  math.randomseed(tonumber(args[5]) + number)
  out = io.open(directory .. "/told-" .. round .. "-" .. number, "w")
  out:setvbuf("line")
  count, other = 0, 0
end

function delay()
  return math.random(0, 40)
end

function request()
  local dice, event, proof = math.random(), "push", signature
  local key
  if dice < 0.05 and count > 0 then
    key = math.random(1, count)
  else
    count = count + 1
    key = count
  end
  -- The same key is always the same event.
  if key % 5 == 0 then event = "create" end
  if dice > 0.97 then proof = "sha256=" .. string.rep("0", 64) end
  return wrk.format("POST", nil, {
    ["content-type"] = "application/json",
    ["x-github-event"] = event,
    ["x-github-delivery"] = round .. "-" .. number .. "-" .. key,
    ["x-hub-signature-256"] = proof,
  }, body)
end

function response(status, headers, answer)
  if status >= 200 and status < 300 then
    out:write(answer, "\n")
  else
    out:write("! ", status, "\n")
  end
end

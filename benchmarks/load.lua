-- Requests for wrk. Usage: wrk ... -s load.lua URL -- repeat FILE | new RUN (digits) | same BODY
-- "repeat" walks a file of JSON bodies; "new" makes a customer nobody has seen each time.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  mode, argument = arguments[1], arguments[2]
  sent = 0
  if mode == "repeat" then
    bodies = {}
    for line in io.lines(argument) do bodies[#bodies + 1] = line end
    sent = number * math.floor(#bodies / 2)
  end
end

function request()
  sent = sent + 1
  local body = argument
  if mode == "repeat" then
    body = bodies[sent % #bodies + 1]
  elseif mode == "new" then
    local name = argument .. "-" .. number .. "-" .. sent
    body = string.format('{"email":"%s@example.com","phoneNumber":"+49%s%d%06d"}',
      name, argument, number, sent)
  end
  return wrk.format(nil, nil, nil, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

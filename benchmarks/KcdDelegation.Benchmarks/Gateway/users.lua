-- Sends requests of the users FIRST to FIRST + COUNT - 1 at random. The file has one header field for each user.
-- Arguments after the address: FILE FIRST COUNT SEED
local requests = {}

init = function(args)
  local first, count = tonumber(args[2]), tonumber(args[3])
  local number = 0
  for line in io.lines(args[1]) do
    if number >= first and number < first + count then
      local name, value = line:match("^([^:]+): (.*)$")
      requests[#requests + 1] = wrk.format("GET", "/", { [name] = value })
    end
    number = number + 1
  end
  math.randomseed(tonumber(args[4]))
end

request = function()
  return requests[math.random(#requests)]
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end

-- Requests that differ as those of a site do: another path, ID and session each time, 64 of them in turn.
local requests, turn = {}, 0

function init(args)
    for number = 1, 64 do
        wrk.headers["X-Request-ID"] = string.format("6a8f3c1e9b2d4f60a7c5e8d1b3f2%04x", number)
        wrk.headers["Cookie"] = string.format("theme=dark; session=9b8a7c6d5e4f3021a1b2c3d4e5f6%04x", number)
        requests[number] = wrk.format("GET", "/items?page=" .. number)
    end
end

function request()
    turn = turn % #requests + 1
    return requests[turn]
end

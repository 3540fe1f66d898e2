-- Asks kcd-gateway about each request: http-request lua.kcd URL, with the address of the endpoint for one application.
-- HAProxy has no authentication subrequest. The request continues only after an answer with the status 200.

-- Fields of the client's request that the gateway does not need, or that describe the connection or the body.
local omitted = {
    ["host"] = true, ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true, ["expect"] = true,
    ["upgrade"] = true, ["te"] = true, ["trailer"] = true, ["keep-alive"] = true, ["proxy-connection"] = true,
    ["proxy-authorization"] = true, ["forwarded"] = true, ["accept-encoding"] = true,
}

-- Fields of the answer that describe the connection, or are not for a client.
local internal = {
    ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true, ["keep-alive"] = true,
    ["authorization"] = true, ["cookie"] = true,
}

-- Copies header fields as a table of lists that start with the index 1.
local function copy(fields, dropped)
    local result = {}
    for name, values in pairs(fields) do
        name = name:lower()
        if not dropped[name] and name:sub(1, 12) ~= "x-forwarded-" then
            local list, index = {}, 0
            while values[index] do
                list[#list + 1] = values[index]
                index = index + 1
            end
            if #list > 0 then result[name] = list end
        end
    end
    return result
end

local function refuse(txn)
    local reply = txn:reply({ status = 503, reason = "Service Unavailable" })
    reply:add_header("cache-control", "no-store")
    txn:done(reply)
end

core.register_action("kcd", { "http-req" }, function(txn, url)
    local headers = copy(txn.http:req_get_headers(), omitted)
    headers["x-forwarded-method"] = { txn.sf:method() }
    -- The target without the scheme and host that HTTP/2 clients send.
    local query = txn.sf:query()
    headers["x-forwarded-uri"] = { txn.sf:path() .. (query ~= "" and "?" .. query or "") }
    headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
    txn.http:req_del_header("authorization")
    txn.http:req_del_header("cookie")

    local answer = core.httpclient():get({ url = url, headers = headers, timeout = 20000 })
    if answer == nil or answer.status == nil or answer.status == 0 then
        core.log(core.err, "kcd-gateway does not answer")
        return refuse(txn)
    end
    if answer.status == 200 then
        for _, name in ipairs({ "authorization", "cookie" }) do
            local values = answer.headers[name]
            if values and values[0] then txn.http:req_set_header(name, values[0]) end
        end
        return
    end
    if answer.status < 300 then return refuse(txn) end

    local reply = txn:reply({ status = answer.status, body = answer.body or "" })
    for name, values in pairs(copy(answer.headers, internal)) do
        for _, value in ipairs(values) do reply:add_header(name, value) end
    end
    txn:done(reply)
end, 1)

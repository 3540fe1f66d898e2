using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace KcdDelegation.Gateway.Requests;

/// <summary>Refuses requests that no application may get, and removes what a client must not say, before anything else reads the
/// request.</summary>
internal sealed class RequestHygiene
{
    private static readonly string[] s_connectionFields =
        [HeaderNames.Connection, HeaderNames.KeepAlive, HeaderNames.ProxyConnection, HeaderNames.TransferEncoding, HeaderNames.Upgrade];

    private volatile Rules _rules = null!;

    public RequestHygiene(GatewaySettingsStore settings) => settings.Subscribe(Apply);

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (FindRefusal(context) is { } status)
        {
            context.Response.StatusCode = status;
            // The end of a request with an unknown framing is not certain.
            if (HttpProtocol.IsHttp11(context.Request.Protocol))
                context.Response.Headers.Connection = "close";
            return Task.CompletedTask;
        }
        var rules = _rules;
        rules.Proxies.Apply(context);
        List<string>? dropped = null;
        foreach (var (name, _) in context.Request.Headers)
        {
            if (rules.Headers.IsDropped(name))
                (dropped ??= []).Add(name);
        }
        foreach (var name in dropped ?? [])
            context.Request.Headers.Remove(name);
        return next(context);
    }

    /// <summary>Returns the status of the answer to a request that no application may get; null for others.</summary>
    private static int? FindRefusal(HttpContext context)
    {
        var request = context.Request;
        // RFC 9110 §9.3.8: TRACE reflects the request, with cookies that scripts cannot read.
        if (HttpMethods.IsTrace(request.Method))
            return StatusCodes.Status405MethodNotAllowed;
        if (HttpMethods.IsConnect(request.Method))
        {
            // CONNECT asks for a tunnel to any host, except for a WebSocket over HTTP/2 (RFC 8441 §4).
            if (context.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true } tunnel)
                return StatusCodes.Status405MethodNotAllowed;
            // RFC 9220 §3: an unknown protocol is answered with 501.
            if (tunnel.Protocol != "websocket")
                return StatusCodes.Status501NotImplemented;
        }
        if (!HasReadableHost(request))
            return StatusCodes.Status400BadRequest;
        // The server removes dot segments before it decodes a path, and decodes an encoded slash of an absolute target only: a segment that
        // appears then would be resolved by the application, outside of what was decided here.
        if (HasDotSegment(request.Path.Value))
            return StatusCodes.Status400BadRequest;
        // RFC 9113 §8.2.2: a request with a field of the connection is malformed. Kestrel refuses some of them only.
        if (HttpProtocol.IsHttp2(request.Protocol) && HasConnectionField(request.Headers))
            return StatusCodes.Status400BadRequest;
        // RFC 9112 §6.1: another coding than chunked would have to be decoded, or named in the request to the application.
        return request.Headers.TransferEncoding is { Count: > 0 } codings
            && !(codings.Count == 1 && string.Equals(codings[0], "chunked", StringComparison.OrdinalIgnoreCase))
            ? StatusCodes.Status501NotImplemented : null;
    }

    /// <summary>Determines whether the host can be read, which the server decodes (RFC 3492) when it is read first.</summary>
    private static bool HasReadableHost(HttpRequest request)
    {
        try
        {
            return request.Host.ToUriComponent() is not null;
        }
        // A label that is no encoded name, such as "xn--".
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool HasDotSegment(ReadOnlySpan<char> path)
    {
        foreach (var segment in path.Split('/'))
        {
            if (path[segment] is "." or "..")
                return true;
        }
        return false;
    }

    private static bool HasConnectionField(IHeaderDictionary headers)
    {
        foreach (var name in s_connectionFields)
        {
            if (headers.ContainsKey(name))
                return true;
        }
        return false;
    }

    private void Apply(GatewaySettings settings) =>
        _rules = new Rules(new HeaderRules(settings.Listener), new TrustedProxies(settings.Listener.TrustedProxies));

    private sealed record Rules(HeaderRules Headers, TrustedProxies Proxies);
}

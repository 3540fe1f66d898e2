using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KcdDelegation.Gateway.Requests;

/// <summary>Removes what a client must not say, before anything else reads the request.</summary>
internal sealed class RequestHygiene
{
    private volatile Rules _rules = null!;

    public RequestHygiene(GatewaySettingsStore settings) => settings.Subscribe(Apply);

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // RFC 9110 §9.3.8: TRACE reflects the request, with cookies that scripts cannot read. CONNECT asks for a tunnel to any host, except
        // for a WebSocket over HTTP/2 (RFC 8441 §4).
        if (HttpMethods.IsTrace(context.Request.Method) || (HttpMethods.IsConnect(context.Request.Method)
            && context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect != true))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
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

    private void Apply(GatewaySettings settings) =>
        _rules = new Rules(new HeaderRules(settings.Listener), new TrustedProxies(settings.Listener.TrustedProxies));

    private sealed record Rules(HeaderRules Headers, TrustedProxies Proxies);
}

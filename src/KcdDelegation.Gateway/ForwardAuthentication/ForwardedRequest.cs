using System.Text;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KcdDelegation.Gateway.ForwardAuthentication;

/// <summary>The request of a client, as the outer proxy describes it.</summary>
/// <param name="Proxy">The proxy.</param>
/// <param name="Application">The application; null for an unknown host.</param>
/// <param name="Method">The method of the client's request.</param>
/// <param name="Scheme">The scheme of the client's request.</param>
/// <param name="Target">The path and query of the client's request, as the client sent them.</param>
/// <param name="IsRefused">Whether the application has refused the value of an earlier answer to this request.</param>
internal sealed record ForwardedRequest(
    OuterProxy Proxy, GatewayApplication? Application, string Method, string Scheme, string Target, bool IsRefused)
{
    /// <summary>The first segment of the paths of the endpoint. It differs from that of the paths that outer proxies pass to the
    /// gateway.</summary>
    public static readonly PathString Root = "/.kcd-auth";

    /// <summary>The last segment of the path at which a proxy reports that the application has refused the value.</summary>
    private const string Refused = "refused";

    private const string MethodHeader = "X-Forwarded-Method";
    private const string SchemeHeader = "X-Forwarded-Proto";
    private const string HostHeader = "X-Forwarded-Host";
    private const string TargetHeader = "X-Forwarded-Uri";

    /// <summary>Reads the request: <c>/.kcd-auth/PROXY/APPLICATION</c>, or for Caddy and Traefik <c>/.kcd-auth/PROXY</c> with the host in
    /// <c>X-Forwarded-Host</c>.</summary>
    /// <remarks>A proxy whose application has refused the value asks again at <c>/.kcd-auth/PROXY/APPLICATION/refused</c>. Each header must
    /// be there once. A list could have a value of the client in front of that of the proxy.</remarks>
    /// <param name="context">The proxy's request.</param>
    /// <param name="settings">The settings in force.</param>
    /// <param name="problem">The reason why it cannot be read, for the log.</param>
    public static ForwardedRequest? Read(HttpContext context, GatewaySettings settings, out string? problem)
    {
        problem = null;
        if (ReadProxy(context.Request.Path, out var name, out var isRefused) is not { } proxy)
            problem = "the path is not /.kcd-auth/PROXY/APPLICATION with nginx, caddy, haproxy or traefik";
        else if (FindSingle(context, MethodHeader) is not { } method)
            problem = $"it does not have one {MethodHeader}";
        else if (FindSingle(context, SchemeHeader) is not { } scheme)
            problem = $"it does not have one {SchemeHeader}";
        else if (context.Request.Headers[TargetHeader] is not [{ Length: > 0 } target])
            problem = $"it does not have one {TargetHeader}";
        else if (name is not null)
        {
            if (settings.Applications.TryGetValue(name, out var application))
                return new ForwardedRequest(proxy, application, method, scheme, target, isRefused);
            problem = "the path names an application that is not in the settings";
        }
        else if (proxy is not (OuterProxy.Caddy or OuterProxy.Traefik))
            problem = "the path does not name an application";
        // Names of hosts are ASCII in requests (RFC 5890 §2.3.2.1).
        else if (FindSingle(context, HostHeader) is { } host && Ascii.IsValid(host))
            return new ForwardedRequest(proxy, settings.FindApplication(new HostString(host)), method, scheme, target, isRefused);
        else
            problem = $"neither the path names an application, nor does it have one {HostHeader}";
        return null;
    }

    /// <summary>Replaces the proxy's request by that of the client at its application, for the code that serves clients.</summary>
    public void Apply(HttpContext context, GatewayApplication application)
    {
        var request = context.Request;
        (request.Method, request.Scheme, request.Host) = (Method, application.ExternalUrl.Scheme, new HostString(application.Host));
        request.PathBase = PathString.Empty;
        // Another form of a target, such as *, has no page to return to.
        var target = Target.StartsWith('/') ? Target : "/";
        var query = target.IndexOf('?', StringComparison.Ordinal);
        request.Path = PathString.FromUriComponent(query < 0 ? target : target[..query]);
        request.QueryString = new QueryString(query < 0 ? null : target[query..]);
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
    }

    private static OuterProxy? ReadProxy(PathString path, out string? application, out bool isRefused)
    {
        (application, isRefused) = (null, false);
        if (!path.StartsWithSegments(Root, StringComparison.Ordinal, out var rest) || rest.Value is not { Length: > 1 } text)
            return null;
        var parts = text[1..].Split('/');
        isRefused = parts is [_, _, Refused];
        if (parts.Length > 1)
            application = parts[1];
        return parts.Length > 2 && !isRefused ? null : parts[0] switch
        {
            "nginx" => OuterProxy.Nginx,
            "caddy" => OuterProxy.Caddy,
            "haproxy" => OuterProxy.Haproxy,
            "traefik" => OuterProxy.Traefik,
            _ => null,
        };
    }

    private static string? FindSingle(HttpContext context, string name) =>
        context.Request.Headers[name] is [{ Length: > 0 } value] && !value.Contains(',', StringComparison.Ordinal) ? value : null;
}

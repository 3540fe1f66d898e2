using System.Net;
using System.Net.Sockets;
using System.Text;
using KcdDelegation.Gateway.ForwardAuthentication;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>The endpoints of Kestrel, in the form of its configuration, so that it follows changes without a restart.</summary>
internal sealed class ListenerConfiguration : ConfigurationProvider, IConfigurationSource
{
    /// <summary>The first part of the names of endpoints for forward authentication. They follow those for clients.</summary>
    private const string ForwardAuthentication = "proxy";

    /// <summary>The name of the endpoint for Prometheus.</summary>
    private const string Prometheus = "prometheus";

    private const UnixFileMode SocketMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>The address for Prometheus. It is that of the start, as all settings of the operation.</summary>
    private readonly string? _prometheus;

    public ListenerConfiguration(GatewaySettingsStore settings)
    {
        _prometheus = settings.Current.Operation.Prometheus;
        settings.Subscribe(Apply);
    }

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>The switch with which Kestrel refuses a line that ends without a carriage return. A proxy in front of the gateway may read
    /// such a line in another way (RFC 9112 §11.2).</summary>
    private const string StrictLines = "Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators";

    /// <summary>Sets up Kestrel.</summary>
    public static void Configure(KestrelServerOptions kestrel)
    {
        var services = kestrel.ApplicationServices;
        var configuration = new ConfigurationBuilder().Add(services.GetRequiredService<ListenerConfiguration>()).Build();
        AppContext.SetSwitch(StrictLines, isEnabled: true);
        kestrel.AddServerHeader = false;
        // A Host that differs from an absolute request target is refused (RFC 9112 §3.2.2).
        kestrel.AllowHostHeaderOverride = false;
        // RFC 9110 §5.5: bytes outside of ASCII are opaque. Applications use them in cookies and in names of files, in any encoding, and
        // Latin-1 keeps each byte. For requests, another encoding than UTF-8 would make Kestrel accept a Content-Length with a sign.
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
        services.GetRequiredService<GatewaySettingsStore>().Subscribe(settings => Apply(settings.Listener.Limits, kestrel.Limits));
        var certificates = services.GetRequiredService<ServerCertificates>();
        var loader = kestrel.Configure(configuration, reloadOnChange: true);
        loader.Endpoint(Prometheus, static endpoint => PrometheusListener.Mark(endpoint.ListenOptions));
        for (var i = 0; i < ListenerUrls.MaxCount; i++)
        {
            loader.Endpoint(GetName(Uri.UriSchemeHttps, i), endpoint => UseHttps(endpoint.ListenOptions, certificates));
            loader.Endpoint(
                GetName(ForwardAuthentication, i), static endpoint => ForwardAuthenticationListener.Mark(endpoint.ListenOptions));
        }
    }

    private void Apply(GatewaySettings settings)
    {
        var data = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < settings.Listener.Urls.Length; i++)
        {
            var url = settings.Listener.Urls[i];
            var name = GetName(url.Scheme, i);
            data[$"Endpoints:{name}:Url"] = url.ToString();
            // A client chooses HTTP/2 in the handshake of TLS. Without TLS, Kestrel would only warn that it serves HTTP/1.1 alone.
            data[$"Endpoints:{name}:Protocols"] =
                url.Scheme == Uri.UriSchemeHttps ? nameof(HttpProtocols.Http1AndHttp2) : nameof(HttpProtocols.Http1);
        }
        for (var i = 0; i < settings.ForwardAuthenticationUrls.Length; i++)
        {
            var name = GetName(ForwardAuthentication, i);
            // The text of an address has the path of its socket in lower case.
            var url = settings.ForwardAuthenticationUrls[i];
            data[$"Endpoints:{name}:Url"] = url.IsUnixPipe ? ListenerUrls.UnixPrefix + url.UnixPipePath : url.ToString();
            data[$"Endpoints:{name}:Protocols"] = nameof(HttpProtocols.Http1);
        }
        if (_prometheus is not null)
        {
            data[$"Endpoints:{Prometheus}:Url"] = _prometheus;
            data[$"Endpoints:{Prometheus}:Protocols"] = nameof(HttpProtocols.Http1);
        }
        Data = data;
        OnReload();
    }

    /// <summary>Binds the socket of an address. One of the file system is for the user and the group of its file: answers have tickets of
    /// users.</summary>
    public static Socket Bind(EndPoint address) => address is UnixDomainSocketEndPoint socket
        ? LocalSocket.Bind(socket.ToString(), SocketMode)
        : SocketTransportOptions.CreateDefaultBoundListenSocket(address);

    private static string GetName(string scheme, int index) => FormattableString.Invariant($"{scheme}{index}");

    private static void UseHttps(ListenOptions endpoint, ServerCertificates certificates) =>
        endpoint.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = context => ValueTask.FromResult(new System.Net.Security.SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificates.Select(context.ClientHelloInfo.ServerName),
            }),
        });

    /// <summary>Sets the limits. They apply to connections that begin afterwards.</summary>
    private static void Apply(LimitOptions from, KestrelServerLimits to)
    {
        to.MaxConcurrentConnections = from.MaxConnections;
        to.MaxConcurrentUpgradedConnections = from.MaxConnections;
        to.MaxRequestHeaderCount = from.MaxRequestHeaderCount;
        to.MaxRequestHeadersTotalSize = from.MaxRequestHeaderBytes;
        to.MaxRequestLineSize = from.MaxRequestLineBytes;
        to.MaxRequestBufferSize = Math.Max(1 << 20, from.MaxRequestLineBytes);
        to.MaxRequestBodySize = from.MaxRequestBodyBytes;
        to.MinRequestBodyDataRate = from.MinRequestBodyRate == 0 ? null : new MinDataRate(from.MinRequestBodyRate, TimeSpan.FromSeconds(5));
        to.RequestHeadersTimeout = from.RequestHeadersTimeout;
        to.KeepAliveTimeout = from.KeepAliveTimeout;
        to.Http2.MaxRequestHeaderFieldSize = from.MaxRequestHeaderBytes;
    }
}

using System.Net;
using System.Net.Sockets;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Http;

/// <summary>Restricts requests to HTTP/1.1, and names failures of the HTTP version.</summary>
/// <remarks>Windows does not accept Negotiate over HTTP/2 (MS-N2HT §1.7): requests of several users could share a connection. A request
/// that demands another version is refused instead of being sent in a version that its sender does not expect.</remarks>
internal static class RequestVersion
{
    /// <summary>The key by which SocketsHttpHandler reports that a server does not support extended CONNECT.</summary>
    private const string ConnectProtocolSetting = "SETTINGS_ENABLE_CONNECT_PROTOCOL";

    /// <summary>Sets HTTP/1.1 on the request.</summary>
    /// <exception cref="HttpRequestException">The request is an extended CONNECT. Its sender can fall back to HTTP/1.1.</exception>
    /// <exception cref="KcdException">The request does not allow HTTP/1.1.</exception>
    public static void SetOn(HttpRequestMessage request)
    {
        if (request.Method == HttpMethod.Connect && request.Headers.Protocol is not null)
            throw CreateExtendedConnectError();
        if (!AllowsHttp11(request.Version, request.VersionPolicy))
            throw new KcdException(new DelegationFailure(
                KcdStage.Target,
                KcdErrorKind.BadRequest, KcdEventId.HttpVersionRefused,
                $"The request demands HTTP/{request.Version} ({request.VersionPolicy}), but requests are sent with HTTP/1.1 only. Nothing "
                    + "was sent.",
                "Set the version policy RequestVersionOrLower: VersionPolicy of the HttpRequestMessage, DefaultVersionPolicy of the "
                    + "HttpClient, or HttpRequest:VersionPolicy of a YARP cluster. gRPC needs HTTP/2; use gRPC-Web."));
        request.Version = HttpVersion.Version11;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
    }

    /// <summary>Determines whether a response refuses HTTP/1.1: 505, or 426 with an upgrade to HTTP/2 (RFC 9110 §15.5.22,
    /// §15.6.6).</summary>
    public static bool IsRefusedBy(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.HttpVersionNotSupported
        || (response.StatusCode == HttpStatusCode.UpgradeRequired
            && response.Headers.Upgrade.Any(upgrade => upgrade.Name is "h2" or "h2c"
                || (string.Equals(upgrade.Name, "HTTP", StringComparison.OrdinalIgnoreCase)
                    && upgrade.Version?.StartsWith("1.", StringComparison.Ordinal) != true)));

    /// <summary>Determines whether a connection may have failed because of the version: servers for HTTP/2 only answer with frames, or
    /// close the connection (RFC 9113 §3.4).</summary>
    public static bool MayCause(HttpRequestException error) =>
        error.HttpRequestError is HttpRequestError.ResponseEnded or HttpRequestError.InvalidResponse
        || error.InnerException is IOException { InnerException: SocketException };

    /// <summary>Creates the error for a backend that has answered no request yet and ends the connection.</summary>
    public static HttpRequestException CreateUnansweredError(string origin, HttpRequestError kind, Exception? inner) => new(
        kind,
        $"{origin} accepted a connection but did not answer a request with HTTP/1.1, and has not answered one before. It may accept HTTP/2 "
            + "only, which is not supported: allow HTTP/1.1 at the backend. Otherwise its log has the reason why the connection ended.",
        inner);

    private static bool AllowsHttp11(Version version, HttpVersionPolicy policy) => policy switch
    {
        HttpVersionPolicy.RequestVersionOrLower => version >= HttpVersion.Version11,
        HttpVersionPolicy.RequestVersionOrHigher => version <= HttpVersion.Version11,
        _ => version == HttpVersion.Version11,
    };

    /// <summary>Creates the error that YARP and ClientWebSocket understand: they send the WebSocket's handshake again over
    /// HTTP/1.1.</summary>
    /// <remarks>It is the error of SocketsHttpHandler for a server without RFC 8441.</remarks>
    private static HttpRequestException CreateExtendedConnectError()
    {
        var error = new HttpRequestException(
            HttpRequestError.ExtendedConnectNotSupported,
            "The request is an extended CONNECT (RFC 8441), which needs HTTP/2, but requests are sent with HTTP/1.1 only. Nothing was "
                + "sent. Allow the WebSocket to use HTTP/1.1: set the version policy RequestVersionOrLower.");
        error.Data[ConnectProtocolSetting] = false;
        return error;
    }
}

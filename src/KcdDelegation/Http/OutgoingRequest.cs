using System.Buffers;
using System.Collections.Frozen;
using System.Net.Http.Headers;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Http;

/// <summary>Prepares requests for sending with a ticket.</summary>
/// <remarks>The connection belongs to a user. Anything smuggled through a request (a second request, another protocol, another credential)
/// would run with that user's rights.</remarks>
internal static class OutgoingRequest
{
    /// <summary>The characters that end a field early (RFC 9110 §5.5).</summary>
    private static readonly SearchValues<char> s_fieldBreakers = SearchValues.Create("\r\n\0");

    private static readonly HttpMethod s_track = new("TRACK");

    private static readonly FrozenSet<string> s_hopFields = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "Connection", "Upgrade", "Keep-Alive", "Proxy-Connection", "TE", "HTTP2-Settings");

    /// <summary>The fields that are sent although Connection names them: .NET or the handler sets them for each connection.</summary>
    private static readonly string[] s_connectionFields = ["Host", "Content-Length", "Transfer-Encoding"];

    /// <summary>Validates the request, removes credentials and hop-by-hop fields from it, and sets its version and framing.</summary>
    /// <exception cref="KcdException">The request must not be sent.</exception>
    /// <exception cref="HttpRequestException">The request is an extended CONNECT.</exception>
    public static void Prepare(HttpRequestMessage request)
    {
        RequestVersion.SetOn(request);
        // TRACE, and TRACK of Microsoft's servers, return the ticket to the caller. CONNECT opens a tunnel whose content cannot be checked.
        if (request.Method == HttpMethod.Trace || request.Method == HttpMethod.Connect || request.Method == s_track)
            throw Refuse($"Requests with the method {request.Method} are not sent.", "Use another method.");
        ThrowIfBroken(request.Headers);
        if (request.Content is { } content)
            ThrowIfBroken(content.Headers);

        // The caller's own credentials (usually the gateway's JWT) are not meant for the backend.
        request.Headers.Remove("Authorization");
        request.Headers.Remove("Proxy-Authorization");
        if (HasConnectionFields(request.Headers))
            DropConnectionHeaders(request);
        SetFraming(request);
    }

    /// <summary>Determines whether a request has fields that are meant for one hop. Most have none.</summary>
    private static bool HasConnectionFields(HttpRequestHeaders headers)
    {
        foreach (var (name, _) in headers.NonValidated)
        {
            if (s_hopFields.Contains(name))
                return true;
        }
        return false;
    }

    /// <summary>Removes the fields that are meant for one hop, and those that Connection names (RFC 9110 §7.6.1). Of Upgrade only WebSocket
    /// is kept; h2c would tunnel requests past the checks.</summary>
    private static void DropConnectionHeaders(HttpRequestMessage request)
    {
        var headers = request.Headers;
        var isWebSocket = headers.Upgrade is { Count: 1 } upgrade
            && string.Equals(upgrade.First().Name, "websocket", StringComparison.OrdinalIgnoreCase);
        var close = headers.ConnectionClose == true;
        if (headers.NonValidated.TryGetValues("Connection", out var options))
        {
            RemoveNamed(headers, options);
            if (request.Content is { } content)
                RemoveNamed(content.Headers, options);
        }
        foreach (var name in s_hopFields)
            headers.Remove(name);
        if (isWebSocket)
        {
            headers.TryAddWithoutValidation("Connection", "Upgrade");
            headers.TryAddWithoutValidation("Upgrade", "websocket");
        }
        if (close)
            headers.ConnectionClose = true;
    }

    private static void RemoveNamed(HttpHeaders headers, HeaderStringValues options)
    {
        List<string>? named = null;
        foreach (var (name, _) in headers.NonValidated)
        {
            if (IsNamed(options, name) && !s_connectionFields.Contains(name, StringComparer.OrdinalIgnoreCase))
                (named ??= []).Add(name);
        }
        named?.ForEach(name => headers.Remove(name));
    }

    private static bool IsNamed(HeaderStringValues options, string name)
    {
        foreach (var value in options)
        {
            foreach (var option in value.AsSpan().Split(','))
            {
                if (value.AsSpan(option).Trim(" \t").Equals(name, StringComparison.OrdinalIgnoreCase))
                    return true;
            }
        }
        return false;
    }

    /// <summary>Sets the framing of the body (RFC 9112 §6).</summary>
    /// <remarks>A Transfer-Encoding or Content-Length that was copied from elsewhere, and is duplicate or cannot be parsed, is not passed
    /// on: the backend might read it differently.</remarks>
    private static void SetFraming(HttpRequestMessage request)
    {
        var chunked = request.Headers.NonValidated.Contains("Transfer-Encoding") && request.Headers.TransferEncodingChunked == true;
        request.Headers.Remove("Transfer-Encoding");
        if (request.Content is not { } content)
            return;
        SetLength(content.Headers);
        if (chunked)
            request.Headers.TransferEncodingChunked = true;
    }

    /// <summary>Sets the length that the body reports, otherwise the single length that was set on the request, which .NET enforces,
    /// otherwise none.</summary>
    private static void SetLength(HttpContentHeaders headers)
    {
        // The getter returns the first of several values, and .NET would send all of them.
        var written = headers.NonValidated.TryGetValues("Content-Length", out var values) && values.Count == 1 ? headers.ContentLength
            : null;
        headers.Remove("Content-Length");
        headers.ContentLength = headers.ContentLength ?? written;
    }

    private static void ThrowIfBroken(HttpHeaders headers)
    {
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                if (value.AsSpan().ContainsAny(s_fieldBreakers))
                    throw Refuse($"The value of the request's header {PrintableText.From(name, 64)} contains a line break or NUL.",
                        "Check header values before you copy them.");
            }
        }
    }

    private static KcdException Refuse(string cause, string remedy) =>
        new(new DelegationFailure(
            KcdStage.Target, KcdErrorKind.BadRequest, KcdEventId.RequestRefused, $"{cause} Nothing was sent.", remedy));
}

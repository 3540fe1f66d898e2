using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Http;

/// <summary>Makes a request fit to go out with a ticket: on a connection that belongs to a user, whatever slips through a request (another
/// request behind it, another protocol, another credential) runs in his name.</summary>
internal static class OutgoingRequest
{
    /// <summary>RFC 9110 §5.5: the characters that end a field early.</summary>
    private static readonly SearchValues<char> s_fieldBreakers = SearchValues.Create("\r\n\0");

    /// <exception cref="KcdException">The request must not go out.</exception>
    public static void Prepare(HttpRequestMessage request)
    {
        // TRACE sends the ticket back to the caller; CONNECT opens a tunnel that nobody can look into.
        if (request.Method == HttpMethod.Trace || request.Method == HttpMethod.Connect)
            throw Refuse($"The method {request.Method} is not sent with a ticket.", "Use another method.");
        ThrowIfBroken(request.Headers);
        if (request.Content is { } content)
            ThrowIfBroken(content.Headers);

        // Requests of HTTP/2 share one connection, and Windows does not take Negotiate there (MS-N2HT §1.7).
        request.Version = HttpVersion.Version11;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;

        // The caller's own credentials (the gateway's JWT, mostly) are nothing to the backend.
        request.Headers.Remove("Authorization");
        request.Headers.Remove("Proxy-Authorization");
        DropConnectionHeaders(request.Headers);
        SetFraming(request);
    }

    /// <summary>RFC 9110 §7.6.1: fields for one hop end here. Of Upgrade only WebSocket goes on; h2c would tunnel requests past us.</summary>
    private static void DropConnectionHeaders(HttpRequestHeaders headers)
    {
        var isWebSocket = headers.Upgrade is { Count: 1 } upgrade
            && string.Equals(upgrade.First().Name, "websocket", StringComparison.OrdinalIgnoreCase);
        var close = headers.ConnectionClose == true;
        foreach (var name in (ReadOnlySpan<string>)["Connection", "Upgrade", "Keep-Alive", "Proxy-Connection", "TE", "HTTP2-Settings"])
            headers.Remove(name);
        if (isWebSocket)
        {
            headers.TryAddWithoutValidation("Connection", "Upgrade");
            headers.TryAddWithoutValidation("Upgrade", "websocket");
        }
        if (close)
            headers.ConnectionClose = true;
    }

    /// <summary>RFC 9112 §6: the handler alone says where the body ends. A Transfer-Encoding or Content-Length that was copied from elsewhere
    /// and does not parse, or stands twice, is not passed on for the backend to read in its own way.</summary>
    private static void SetFraming(HttpRequestMessage request)
    {
        var chunked = request.Headers.TransferEncodingChunked == true;
        request.Headers.Remove("Transfer-Encoding");
        if (request.Content is not { } content)
            return;
        SetLength(content.Headers);
        if (chunked)
            request.Headers.TransferEncodingChunked = true;
    }

    /// <summary>The length that the body has, if it knows; else the one length that was written, to which .NET holds the body; else none.</summary>
    private static void SetLength(HttpContentHeaders headers)
    {
        // The getter takes the first of several, and then all of them would be written.
        var written = headers.NonValidated.TryGetValues("Content-Length", out var values) && values.Count == 1 ? headers.ContentLength : null;
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
                    throw Refuse($"The value of the request's header {PrintableText.From(name, 64)} has a line break or NUL.", "Do not copy header values unchecked.");
            }
        }
    }

    private static KcdException Refuse(string cause, string remedy) =>
        new(new DelegationFailure(KcdStage.Target, KcdEventId.RequestRefused, $"{cause} Nothing was sent.", remedy));
}

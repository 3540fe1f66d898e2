using System.Net;

namespace KcdDelegation.Http;

/// <summary>A response body that ends the connection lease when it has been read or disposed. Until then the user's connection must not be
/// closed.</summary>
internal sealed class LeasedContent : HttpContent
{
    private readonly HttpContent _inner;
    private readonly ResponseLease _lease;

    private LeasedContent(HttpContent inner, ConnectionLease lease)
    {
        (_inner, _lease) = (inner, new ResponseLease(lease));
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            // Several values would be boxed, and almost every field has one.
            if (values.Count == 1)
                Headers.TryAddWithoutValidation(name, values.ToString());
            else
                Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <summary>Transfers the lease to the response's body, or ends it at once if there is no body.</summary>
    public static void Attach(HttpResponseMessage response, HttpMethod method, ConnectionLease lease)
    {
        if (HasBody(response, method))
            response.Content = new LeasedContent(response.Content, lease);
        else
            lease.End();
    }

    /// <summary>Ends the lease, once.</summary>
    public void EndLease() => _lease.Dispose();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await _inner.CopyToAsync(stream, context, cancellationToken).ConfigureAwait(false);
        EndLease();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _inner.CopyTo(stream, context, cancellationToken);
        EndLease();
    }

    // The content of a connection has its stream without waiting.
    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        Task.FromResult(CreateContentReadStream(cancellationToken));

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) =>
        new LeasedStream(_inner.ReadAsStream(cancellationToken), this);

    /// <summary>Returns false. A Content-Length of the backend was copied with the headers; without one the length is unknown.</summary>
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            EndLease();
        }
        base.Dispose(disposing);
    }

    /// <summary>Determines whether a body follows (RFC 9112 §6.3).</summary>
    private static bool HasBody(HttpResponseMessage response, HttpMethod method)
    {
        // An upgraded connection stays open, whatever the headers say (RFC 9110 §7.8).
        if (response.StatusCode == HttpStatusCode.SwitchingProtocols)
            return true;
        if (method == HttpMethod.Head || response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified)
            return false;
        // "If a message is received with both a Transfer-Encoding and a Content-Length header field, the Transfer-Encoding overrides".
        return response.Content.Headers.ContentLength != 0 || response.Headers.NonValidated.Contains("Transfer-Encoding");
    }
}

using System.Net;

namespace KcdDelegation.Http;

/// <summary>A response body that ends the connection lease when it has been read or disposed. Until then the user's connection must not be
/// closed.</summary>
internal sealed class LeasedContent : HttpContent
{
    private readonly HttpContent _inner;
    private readonly ConnectionLease _lease;

    private LeasedContent(HttpContent inner, ConnectionLease lease)
    {
        (_inner, _lease) = (inner, lease);
        foreach (var (name, values) in inner.Headers.NonValidated)
            Headers.TryAddWithoutValidation(name, values);
    }

    /// <summary>Transfers the lease to the response's body, or ends it at once if there is no body.</summary>
    public static void Attach(HttpResponseMessage response, HttpMethod method, ConnectionLease lease)
    {
        // RFC 9112 §6.3: no body follows these, whatever their headers say.
        var hasNoBody = method == HttpMethod.Head || response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified
            || response.Content.Headers.ContentLength == 0;
        if (hasNoBody)
            lease.Dispose();
        else
            response.Content = new LeasedContent(response.Content, lease);
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await _inner.CopyToAsync(stream, context, cancellationToken).ConfigureAwait(false);
        _lease.Dispose();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _inner.CopyTo(stream, context, cancellationToken);
        _lease.Dispose();
    }

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new LeasedStream(await _inner.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), _lease);

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) =>
        new LeasedStream(_inner.ReadAsStream(cancellationToken), _lease);

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
            _lease.Dispose();
        }
        base.Dispose(disposing);
    }
}

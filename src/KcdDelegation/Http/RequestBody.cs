namespace KcdDelegation.Http;

/// <summary>Buffers request bodies that may have to be sent twice.</summary>
internal static class RequestBody
{
    /// <summary>The limit in bytes. A body that is larger, or whose length is unknown, is sent once.</summary>
    private const int MaxKept = 64 * 1024;

    /// <summary>Buffers the body and returns whether it can be sent again.</summary>
    public static async ValueTask<bool> TryKeepAsync(HttpContent? content, CancellationToken cancellationToken)
    {
        if (content is null)
            return true;
        if (content.Headers.ContentLength is not <= MaxKept)
            return false;
        await content.LoadIntoBufferAsync(MaxKept, cancellationToken).ConfigureAwait(false);
        return true;
    }
}

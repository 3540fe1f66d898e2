namespace KcdDelegation.Http;

/// <summary>A body that may have to be sent twice.</summary>
internal static class RequestBody
{
    /// <summary>Bytes. What is larger, or of a length that nobody knows, is sent once.</summary>
    private const int MaxKept = 64 * 1024;

    /// <summary>Whether the body can be sent again after this.</summary>
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

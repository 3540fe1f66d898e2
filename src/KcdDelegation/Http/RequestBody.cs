namespace KcdDelegation.Http;

/// <summary>Buffers request bodies that may have to be sent twice.</summary>
internal static class RequestBody
{
    /// <summary>The limit in bytes. A body that is larger, or whose length is unknown, is sent once, unless it is in memory.</summary>
    private const int MaxKept = 64 * 1024;

    /// <summary>Buffers the body and returns whether it can be sent again.</summary>
    public static async ValueTask<bool> TryKeepAsync(HttpContent? content, CancellationToken cancellationToken)
    {
        if (content is null || IsInMemory(content))
            return true;
        if (content.Headers.ContentLength is not <= MaxKept)
            return false;
        await content.LoadIntoBufferAsync(MaxKept, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Determines whether the body is written from memory, so that it can be written any number of times.</summary>
    /// <remarks>The types are compared exactly, because a derived type may write something else.</remarks>
    private static bool IsInMemory(HttpContent content) =>
        content is ReadOnlyMemoryContent || content.GetType() == typeof(ByteArrayContent) || content.GetType() == typeof(StringContent)
        || content.GetType() == typeof(FormUrlEncodedContent);
}

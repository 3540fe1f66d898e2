using System.Globalization;
using System.Net.Security;
using System.Text;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>The end of an answer.</summary>
public enum AnswerEnd
{
    /// <summary>The framing says that the answer is whole.</summary>
    Whole,

    /// <summary>The server closed the connection before the end that the framing states.</summary>
    Cut,

    /// <summary>The server closed the connection, and the framing states no other end.</summary>
    Unframed,

    /// <summary>The answer had no end within the time.</summary>
    Open,
}

/// <summary>An answer as a client reads it that follows RFC 9112 §6.3 to the letter.</summary>
/// <param name="Status">The status code; 0 without a head.</param>
/// <param name="Head">The status line and the header fields.</param>
/// <param name="Body">The decoded body, as far as it was received.</param>
/// <param name="End">The end of the answer.</param>
internal sealed record StrictAnswer(int Status, string Head, string Body, AnswerEnd End)
{
    /// <summary>Reads one answer. No byte may follow it.</summary>
    public static async Task<StrictAnswer> ReadAsync(SslStream stream, bool isHead = false, int seconds = 15)
    {
        var text = new StringBuilder();
        var buffer = new byte[65_536];
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            while (await stream.ReadAsync(buffer, timeout.Token) is > 0 and var count)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
                if (Parse(text.ToString(), isHead) is { End: AnswerEnd.Whole } answer)
                    return answer;
            }
        }
        catch (IOException)
        {
            // The server reset the connection.
        }
        catch (OperationCanceledException)
        {
            return Parse(text.ToString(), isHead) with { End = AnswerEnd.Open };
        }
        return Parse(text.ToString(), isHead);
    }

    /// <summary>Returns the values of a header field.</summary>
    public IReadOnlyList<string> Find(string name) => Find(Head, name);

    private static StrictAnswer Parse(string text, bool isHead)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return new StrictAnswer(0, text, "", AnswerEnd.Cut);
        var (head, rest) = (text[..end], text[(end + 4)..]);
        var status = int.Parse(head.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
        var (codings, lengths) = (Find(head, "Transfer-Encoding"), Find(head, "Content-Length"));
        (codings.Count + lengths.Count).ShouldBeLessThanOrEqualTo(1, head);
        var (body, isWhole, left) = isHead || status is 204 or 304 ? ("", true, rest)
            : codings.Count > 0 ? Unchunk(rest)
            : lengths is [var length] ? Take(rest, int.Parse(length, NumberStyles.None, CultureInfo.InvariantCulture))
            : (rest, false, "");
        left.ShouldBe("", "bytes after the end of the answer");
        return new StrictAnswer(
            status, head, body, isWhole ? AnswerEnd.Whole : codings.Count + lengths.Count == 0 ? AnswerEnd.Unframed : AnswerEnd.Cut);
    }

    private static (string Body, bool IsWhole, string Left) Take(string text, int length) =>
        text.Length < length ? (text, false, "") : (text[..length], true, text[length..]);

    private static (string Body, bool IsWhole, string Left) Unchunk(string text)
    {
        var body = new StringBuilder();
        while (text.IndexOf("\r\n", StringComparison.Ordinal) is >= 0 and var end)
        {
            var size = int.Parse(text.AsSpan(0, end), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            var start = end + 2;
            if (text.Length < start + size + 2)
                return (body.Append(text.AsSpan(start)).ToString(), false, "");
            body.Append(text, start, size);
            text.AsSpan(start + size, 2).ToString().ShouldBe("\r\n");
            text = text[(start + size + 2)..];
            if (size == 0)
                return (body.ToString(), true, text);
        }
        return (body.ToString(), false, "");
    }

    private static List<string> Find(string head, string name) => [.. head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim())];
}

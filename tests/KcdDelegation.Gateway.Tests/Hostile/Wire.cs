using System.Globalization;
using System.Net.Security;
using System.Text;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Requests byte by byte.</summary>
internal static class Wire
{
    public const string Host = "Host: wiki.contoso.test\r\n";

    /// <summary>Returns the header field of a user with a bearer token.</summary>
    public static string Authorization(TestGateway gateway, string user = "ada") =>
        $"Authorization: Bearer {gateway.Issuer.CreateToken($"{user}@contoso.test")}\r\n";

    /// <summary>Sends bytes on a connection of its own. <c>{auth}</c> stands for the user, <c>{host}</c> for the application.</summary>
    public static async Task<IReadOnlyList<RawAnswer>> ExchangeAsync(TestGateway gateway, string text)
    {
        await using var stream = await gateway.ConnectAsync("wiki.contoso.test");
        var request = text.Replace("{auth}", Authorization(gateway), StringComparison.Ordinal)
            .Replace("{host}", Host, StringComparison.Ordinal);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        return await ReadAsync(stream);
    }

    /// <summary>Reads until the server closes the connection, or for a second after its last byte.</summary>
    public static async Task<IReadOnlyList<RawAnswer>> ReadAsync(SslStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[65_536];
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(15));
        try
        {
            while (await stream.ReadAsync(buffer, timeout.Token) is > 0 and var count)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
                timeout.CancelAfter(TimeSpan.FromSeconds(1));
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The server reset the connection, or waits for the next request.
        }
        return [.. text.ToString().Split("HTTP/1.1 ").Skip(1).Select(RawAnswer.Parse)];
    }
}

/// <summary>An answer as its bytes are.</summary>
internal sealed record RawAnswer(int Status, string Head, string Body)
{
    public static RawAnswer Parse(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return new RawAnswer(
            int.Parse(text.AsSpan(0, 3), CultureInfo.InvariantCulture), end < 0 ? text : text[..end], end < 0 ? "" : text[(end + 4)..]);
    }
}

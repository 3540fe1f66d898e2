using System.Net.Sockets;
using System.Text;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>Requests that HttpClient would not send.</summary>
internal static class RawHttp
{
    /// <summary>Sends the text and returns everything until the server closes the connection.</summary>
    public static async Task<string> SendAsync(Uri address, string request)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, cancellation);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), cancellation);
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellation);
    }
}

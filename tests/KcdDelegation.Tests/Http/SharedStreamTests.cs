using System.Text;
using KcdDelegation.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests what .NET reads from a connection that users share.</summary>
public sealed class SharedStreamTests
{
    [Theory]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true)]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\n\r\n", true)]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\n\r\n", true)]
    [InlineData("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false)]
    public async Task A_response_without_a_body_is_the_last_one_even_if_a_request_waits(string method, string response, bool isLast)
    {
        var services = new ConnectionServices(new SocketsHttpHandlers(create: null), "app", NullLogger.Instance);
        var buffer = new byte[256];
        await using var stream = new SharedStream(new OneResponse(response), services.Metrics);
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"{method} / HTTP/1.1\r\nHost: app\r\n\r\n"), TestContext.Current.CancellationToken);

        // .NET closes a connection with bytes behind the response.
        (await stream.ReadAsync(buffer, TestContext.Current.CancellationToken)).ShouldBe(response.Length + (isLast ? 1 : 0));
        Encoding.ASCII.GetString(buffer, 0, response.Length).ShouldBe(response);
        (await stream.ReadAsync(buffer, TestContext.Current.CancellationToken)).ShouldBe(0);
    }

    [Fact]
    public void A_full_buffer_has_no_room_for_the_additional_byte()
    {
        const string Response = "HTTP/1.1 204 No Content\r\n\r\n";
        var services = new ConnectionServices(new SocketsHttpHandlers(create: null), "app", NullLogger.Instance);
        using var stream = new SharedStream(new OneResponse(Response), services.Metrics);
        stream.Write("GET / HTTP/1.1\r\nHost: app\r\n\r\n"u8);

        stream.Read(new byte[Response.Length]).ShouldBe(Response.Length);
        stream.Read(new byte[Response.Length]).ShouldBe(0);
    }

    private sealed class OneResponse(string response) : MemoryStream(Encoding.ASCII.GetBytes(response))
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.CompletedTask;
    }
}

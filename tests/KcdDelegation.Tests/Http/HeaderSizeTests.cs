using System.Net;
using System.Net.Sockets;
using KcdDelegation.Diagnosis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests answers to header fields that are too large.</summary>
public sealed class HeaderSizeTests
{
    private const int LargeTicket = 12_000;

    [Theory]
    [InlineData(413)]
    [InlineData(431)]
    [InlineData(494)]
    public async Task A_status_that_states_the_cause_is_a_refusal_with_the_sizes_and_the_usual_limits(int status)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, status));
        var delegation = new FakeDelegation(backend.Url) { TicketSize = LargeTicket };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        CheckTexts(response.GetKcdRefusal().ShouldNotBeNull(), delegation, status.ToString(null, null));
    }

    [Theory]
    [InlineData(400, false)]
    [InlineData(400, true)]
    [InlineData(413, true)]
    public async Task A_status_that_may_have_another_cause_has_a_hint(int status, bool hasBody)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, status));
        var delegation = new FakeDelegation(backend.Url) { TicketSize = LargeTicket };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(
            FakeDelegation.As("ada", content: hasBody ? new StringContent("body") : null), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        response.GetKcdRefusal().ShouldBeNull("the application may have answered it itself");
        CheckTexts(response.GetKcdHint().ShouldNotBeNull(), delegation, status.ToString(null, null));
    }

    [Fact]
    public async Task Cookies_count_too()
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, 400));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada");
        request.Headers.Add("Cookie", new string('c', 8000));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        response.GetKcdHint().ShouldNotBeNull().EventId.ShouldBe(KcdEventId.HeaderMayBeTooLarge);
    }

    [Fact]
    public async Task A_400_to_a_small_header_has_no_hint()
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, 400));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.GetKcdHint().ShouldBeNull();
        delegation.Log.Records.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_400_to_a_header_that_the_backend_has_read_before_has_no_hint()
    {
        await using var backend = await FakeBackend.StartAsync(
            context => context.Request.Path == "/wrong" ? Answer(context, 400) : Task.CompletedTask);
        var delegation = new FakeDelegation(backend.Url) { TicketSize = LargeTicket };
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        using var response = await client.SendAsync(FakeDelegation.As("bob", "/wrong"), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        response.GetKcdHint().ShouldBeNull();
        delegation.Log.Records.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_is_closed_before_the_response_is_explained(bool reset)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var end = new CancellationTokenSource();
        var serving = CloseEachAsync(listener, reset, end.Token);
        var delegation = new FakeDelegation(new Uri($"http://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/"))
        {
            TicketSize = LargeTicket,
        };
        using var client = delegation.CreateClient();

        var error = await Should.ThrowAsync<HttpRequestException>(
            () => client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken));
        await end.CancelAsync();
        await serving.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

        error.Message.ShouldContain("event 4011");
        error.Message.ShouldContain("bytes");
        error.InnerException.ShouldBeOfType<HttpRequestException>();
        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Id, record.Level).ShouldBe((KcdEventId.HeaderMayBeTooLarge, LogLevel.Warning));
        record.Text.ShouldContain("closed the connection after a request");
    }

    [Fact]
    public async Task A_connection_that_is_closed_after_a_small_header_is_not_explained_by_its_size()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var end = new CancellationTokenSource();
        var serving = CloseEachAsync(listener, reset: false, end.Token);
        var delegation = new FakeDelegation(new Uri($"http://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/"));
        using var client = delegation.CreateClient();

        var error = await Should.ThrowAsync<HttpRequestException>(
            () => client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken));
        await end.CancelAsync();
        await serving.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

        error.Message.ShouldNotContain("event 4011");
        delegation.Log.Records.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(431)]
    [InlineData(400)]
    public async Task A_required_proof_does_not_hide_the_size(int status)
    {
        await using var backend = await FakeBackend.StartAsync(context => Answer(context, status));
        var delegation = new FakeDelegation(backend.Url) { TicketSize = LargeTicket };
        delegation.Application = delegation.Application with { MutualAuthentication = MutualAuthentication.Required };
        using var client = delegation.CreateClient();
        if (status == 431)
        {
            using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
            response.GetKcdRefusal().ShouldNotBeNull().EventId.ShouldBe(KcdEventId.HeaderMayBeTooLarge);
            return;
        }
        var error = await Should.ThrowAsync<KcdException>(
            () => client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken));
        error.Cause.ShouldContain("answered 400");
        error.Remedy.ShouldContain("LimitRequestFieldSize");
    }

    private static void CheckTexts(KcdException refusal, FakeDelegation delegation, string status)
    {
        refusal.EventId.ShouldBe(KcdEventId.HeaderMayBeTooLarge);
        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Id, record.Level).ShouldBe((KcdEventId.HeaderMayBeTooLarge, LogLevel.Warning));
        foreach (var text in (string[])[refusal.Message, record.Text])
        {
            text.ShouldContain($"answered {status}");
            text.ShouldContain("ticket of 12");
            text.ShouldContain("MaxFieldLength");
            text.ShouldContain("MaxRequestBytes");
            text.ShouldContain("LimitRequestFieldSize");
            text.ShouldContain("large_client_header_buffers");
            text.ShouldContain("maxHttpHeaderSize");
            text.ShouldContain("MaxRequestHeadersTotalSize");
        }
    }

    private static Task Answer(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    /// <summary>Closes each connection after some bytes of the request, with a reset or after the whole header.</summary>
    private static async Task CloseEachAsync(TcpListener listener, bool reset, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync(cancellationToken);
            client.LingerState = new LingerOption(reset, 0);
            var buffer = new byte[64 * 1024];
            var length = 0;
            while (await client.GetStream().ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var read && !reset)
            {
                length += read;
                if (buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
                    break;
            }
        }
    }
}

using KcdDelegation.Diagnosis;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests requests that the host has marked as anonymous, such as a proxy's health probes.</summary>
public sealed class AnonymousRequestTests
{
    [Fact]
    public async Task An_anonymous_request_is_sent_without_a_ticket_and_without_any_credentials()
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient(callers: new FixedCaller());
        using var request = Anonymous("/health?full=1");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer gateway").ShouldBeTrue();
        request.Headers.TryAddWithoutValidation("Proxy-Authorization", "Basic c2VjcmV0").ShouldBeTrue();
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("ok");
        backend.Head.ShouldBe($"GET /health?full=1 HTTP/1.1\r\nHost: {backend.Url.Authority}");
        delegation.TicketsAsked.ShouldBe(0);
    }

    [Fact]
    public async Task Anonymous_requests_and_users_never_share_a_connection()
    {
        await using var backend = await FakeBackend.StartTlsAsync();
        foreach (var shared in (bool[])[false, true])
        {
            backend.Seen.Clear();
            var delegation = new FakeDelegation(backend.Url);
            delegation.Application = delegation.Application with { ShareConnectionsBetweenUsers = shared };
            using var client = delegation.CreateClient();
            for (var round = 0; round < 3; round++)
            {
                using var response = await client.SendAsync(Anonymous("/"), TestContext.Current.CancellationToken);
                await client.GetStringAsAsync("ada");
                await client.GetStringAsAsync("bob");
            }
            var connections = backend.Seen.GroupBy(seen => seen.Connection, StringComparer.Ordinal).ToList();
            connections.Count.ShouldBe(shared ? 2 : 3);
            connections.ShouldAllBe(requests => requests.Select(seen => seen.Authorization == null).Distinct().Count() == 1);
        }
    }

    [Fact]
    public async Task An_anonymous_request_does_not_wait_for_users()
    {
        await using var backend = await FakeBackend.StartAsync(async context =>
        {
            await context.Response.Body.FlushAsync(context.RequestAborted);
            if (context.Request.Path == "/endless")
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var client = new FakeDelegation(backend.Url).CreateClient(capacity: 1);
        using var open = await client.SendAsync(
            FakeDelegation.As("ada", "/endless"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        using var response = await client.SendAsync(Anonymous("/"), TestContext.Current.CancellationToken);
        response.IsSuccessStatusCode.ShouldBeTrue();
    }

    [Theory]
    [InlineData("http://evil.example/")]
    [InlineData("/%00")]
    public async Task The_application_s_address_applies_to_anonymous_requests(string url)
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(Anonymous(url), TestContext.Current.CancellationToken))).EventId
            .ShouldBe(KcdEventId.TargetRefused);
        backend.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/anonymous")]
    [InlineData("/?KcdDelegation.Anonymous=true")]
    public async Task Nothing_in_a_request_itself_makes_it_anonymous(string path)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("KcdDelegation.Anonymous", "true");
        request.Options.Set(new HttpRequestOptionsKey<string>("KcdDelegation.Anonymous"), "true");
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken))).EventId.ShouldBe(
            KcdEventId.CallerMissing);
        backend.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task A_401_to_an_anonymous_request_is_returned_without_the_negotiation_and_is_no_refusal()
    {
        await using var backend = new RecordingBackend(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(Anonymous("/"), TestContext.Current.CancellationToken);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Basic realm=\"x\"");
        response.GetKcdRefusal().ShouldBeNull();
        delegation.Log.Records.ShouldBeEmpty("a probe is repeated all the time");
    }

    [Fact]
    public void A_request_has_either_a_caller_or_the_mark()
    {
        using var request = Anonymous("/");
        Should.Throw<InvalidOperationException>(() => request.SetCaller(FakeDelegation.Caller("ada")));
        using var other = FakeDelegation.As("ada");
        Should.Throw<InvalidOperationException>(other.SetAnonymous);
    }

    [Fact]
    public async Task A_disposed_handler_sends_no_anonymous_request()
    {
        await using var backend = new RecordingBackend();
        var handler = new KcdHandler(new FakeDelegation(backend.Url), "app", createHandler: null, callers: null);
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        handler.Dispose();
        using var request = Anonymous(backend.Url.AbsoluteUri);
        await Should.ThrowAsync<ObjectDisposedException>(() => invoker.SendAsync(request, TestContext.Current.CancellationToken));
        backend.Connections.ShouldBe(0);
    }

    private static HttpRequestMessage Anonymous(string url)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.SetAnonymous();
        return request;
    }

    private sealed class FixedCaller : ICallerAccessor
    {
        public System.Security.Claims.ClaimsPrincipal? Caller => FakeDelegation.Caller("ada");
    }
}

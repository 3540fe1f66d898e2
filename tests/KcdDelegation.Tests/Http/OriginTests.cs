using System.Collections.Frozen;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests the further origins and Host values of an application, as behind a load balancer.</summary>
public sealed class OriginTests
{
    [Fact]
    public async Task Requests_to_every_listed_origin_are_sent_with_tickets_for_the_same_service()
    {
        await using var first = await FakeBackend.StartAsync();
        await using var second = await FakeBackend.StartTlsAsync();
        var delegation = new FakeDelegation(first.Url);
        delegation.Application = delegation.Application with { AdditionalOrigins = [second.Url] };
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        await client.GetStringAsAsync("ada", second.Url.AbsoluteUri);

        first.Seen.Single().Ticket.User.ShouldBe("ada");
        second.Seen.Single().Ticket.User.ShouldBe("ada");
        second.Seen.Single().Headers["Host"].ShouldBe(second.Url.Authority);
        second.Seen.Single().Ticket.BindingHash.IsEmpty.ShouldBeFalse("each origin's certificate binds the ticket");
    }

    [Fact]
    public async Task Connections_belong_to_one_user_and_one_origin()
    {
        await using var first = await FakeBackend.StartTlsAsync();
        await using var second = await FakeBackend.StartTlsAsync();
        var delegation = new FakeDelegation(first.Url);
        delegation.Application = delegation.Application with { AdditionalOrigins = [second.Url] };
        using var client = delegation.CreateClient();
        for (var round = 0; round < 3; round++)
        {
            foreach (var user in (string[])["ada", "bob"])
            {
                await client.GetStringAsAsync(user);
                await client.GetStringAsAsync(user, second.Url.AbsoluteUri);
            }
        }
        foreach (var backend in (FakeBackend[])[first, second])
        {
            var connections = backend.Seen.GroupBy(seen => seen.Connection, StringComparer.Ordinal).ToList();
            connections.Count.ShouldBe(2);
            connections.ShouldAllBe(requests => requests.Select(seen => seen.Ticket.User).Distinct().Count() == 1);
        }
    }

    [Fact]
    public async Task An_application_without_an_address_of_its_own_is_called_at_allowed_and_further_origins_only()
    {
        await using var allowed = await FakeBackend.StartAsync();
        await using var further = await FakeBackend.StartTlsAsync();
        var delegation = new FakeDelegation(allowed.Url);
        delegation.Application = delegation.Application with
        {
            InternalUrl = null, AdditionalOrigins = [further.Url], AllowPlainHttp = true,
        };
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada", new Uri(allowed.Url, "a").AbsoluteUri);
        request.AllowOrigin(allowed.Url);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        await client.GetStringAsAsync("ada", new Uri(further.Url, "a%2Fb").AbsoluteUri);
        (allowed.Seen.Count, further.Seen.Count).ShouldBe((1, 1));

        (await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("ada", allowed.Url.AbsoluteUri)))
            .Cause.ShouldContain("are sent to the destinations of its clusters, to its AdditionalOrigins only");
        allowed.Seen.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("https://localhost:{0}/app/")]
    [InlineData("http://127.0.0.1:{0}/app/")]
    [InlineData("http://localhost:{0}/other")]
    [InlineData("http://localhost:{0}/app/..%2fother")]
    [InlineData("http://localhost:1/app/")]
    [InlineData("http://other.example/app/")]
    public async Task The_scheme_the_host_the_port_and_the_path_apply_to_further_origins_too(string url)
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(new Uri("https://erp.contoso.com/app/"));
        delegation.Application = delegation.Application with { AdditionalOrigins = [backend.Url] };
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada", string.Format(null, url, backend.Url.Port));
        var error = await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));
        error.EventId.ShouldBe(KcdEventId.TargetRefused);
        backend.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("http://localhost:{0}/", null, true)]
    [InlineData("http://localhost:{0}/app/x", null, true)]
    [InlineData("http://localhost:{0}/app/x", "portal.contoso.com", true)]
    [InlineData("http://localhost:{0}/app/x", "other.contoso.com", false)]
    [InlineData("http://127.0.0.1:{0}/", null, false)]
    [InlineData("https://localhost:{0}/", null, false)]
    [InlineData("http://localhost:1/", null, false)]
    public async Task An_origin_that_the_host_allows_applies_to_one_request(string url, string? host, bool isSent)
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(new Uri("https://erp.contoso.com/app/"));
        delegation.Application = delegation.Application with { AllowPlainHttp = true };
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada", string.Format(null, url, backend.Url.Port));
        request.AllowOrigin(backend.Url, "portal.contoso.com");
        request.Headers.Host = host;
        if (isSent)
        {
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            backend.Seen.Single().Ticket.User.ShouldBe("ada");
        }
        else
        {
            (await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken)))
                .EventId.ShouldBe(KcdEventId.TargetRefused);
        }
        using var next = FakeDelegation.As("ada", backend.Url.AbsoluteUri);
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(next, TestContext.Current.CancellationToken)))
            .EventId.ShouldBe(KcdEventId.TargetRefused, "another request is not affected");
    }

    [Fact]
    public async Task An_allowed_origin_with_plain_http_needs_AllowPlainHttp()
    {
        await using var backend = new RecordingBackend();
        using var client = new FakeDelegation(new Uri("https://erp.contoso.com/")).CreateClient();
        using var request = FakeDelegation.As("ada", backend.Url.AbsoluteUri);
        request.AllowOrigin(backend.Url);
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken)))
            .EventId.ShouldBe(KcdEventId.TargetRefused);
        backend.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("/app")]
    [InlineData("ftp://erp.contoso.com/")]
    [InlineData("https://user@erp.contoso.com/")]
    [InlineData("https://erp.contoso.com/?a")]
    [InlineData("https://erp.contoso.com/#a")]
    public void An_allowed_origin_is_an_http_address_without_further_parts(string address)
    {
        using var request = new HttpRequestMessage();
        Should.Throw<ArgumentException>(() => request.AllowOrigin(new Uri(address, UriKind.RelativeOrAbsolute)));
    }

    [Theory]
    [InlineData("portal.contoso.com")]
    [InlineData("Portal.Contoso.COM")]
    [InlineData("portal.contoso.com:8443")]
    public async Task A_listed_Host_value_is_sent(string host)
    {
        await using var backend = new RecordingBackend();
        using var client = CreateClient(backend.Url, "portal.contoso.com", "PORTAL.contoso.com:8443");
        using var request = FakeDelegation.As("ada");
        request.Headers.Host = host;
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        backend.Head.Split("\r\n").Where(line => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)).ShouldBe([$"Host: {host}"]);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("portal.contoso.com:443")]
    [InlineData("portal.contoso.com.")]
    [InlineData("portal.contoso.com.evil.example")]
    [InlineData("evil.example@portal.contoso.com")]
    [InlineData("portal.contoso.com, evil.example")]
    [InlineData("portal.contoso.com ")]
    [InlineData("portal.contoso.com/x")]
    [InlineData("portal.contoso.com#")]
    [InlineData("xportal.contoso.com")]
    [InlineData("*")]
    [InlineData("portal.contoso.com", "portal.contoso.com")]
    [InlineData("portal.contoso.com", "evil.example")]
    public async Task Any_other_Host_value_is_refused(params string[] hosts)
    {
        await using var backend = new RecordingBackend();
        using var client = CreateClient(backend.Url, "portal.contoso.com");
        using var request = FakeDelegation.As("ada");
        foreach (var host in hosts)
            request.Headers.TryAddWithoutValidation("Host", host).ShouldBeTrue();
        (await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken))).EventId.ShouldBe(
            KcdEventId.TargetRefused);
        backend.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task The_Host_of_one_origin_is_not_allowed_for_another_unless_it_is_listed()
    {
        await using var backend = new RecordingBackend();
        var delegation = new FakeDelegation(new Uri("https://erp.contoso.com/"));
        delegation.Application = delegation.Application with { AdditionalOrigins = [backend.Url] };
        using var client = delegation.CreateClient();
        using var request = FakeDelegation.As("ada", backend.Url.AbsoluteUri);
        request.Headers.Host = "erp.contoso.com";
        await Should.ThrowAsync<KcdException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));
        backend.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task Requests_with_another_server_name_in_TLS_have_connections_of_their_own()
    {
        // A new connection gets the other certificate: the name in the Host header is the name in TLS.
        await using var backend = await FakeBackend.StartTlsAsync(certificates: 2);
        using var client = CreateClient(backend.Url, "portal.contoso.com");
        for (var round = 0; round < 3; round++)
        {
            foreach (var host in (string?[])[null, "portal.contoso.com"])
            {
                using var request = FakeDelegation.As("ada");
                request.Headers.Host = host;
                using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            }
        }
        backend.Seen.Count.ShouldBe(6);
        var connections = backend.Seen.GroupBy(seen => seen.Connection, StringComparer.Ordinal).ToList();
        connections.Count.ShouldBe(2);
        connections.ShouldAllBe(requests => requests.Select(seen => seen.Headers["Host"]).Distinct().Count() == 1);
        connections.Select(requests => Convert.ToHexString(requests.First().Ticket.BindingHash.Span)).ShouldBeUnique();
    }

    private static HttpClient CreateClient(Uri url, params string[] hosts)
    {
        var delegation = new FakeDelegation(url);
        delegation.Application = delegation.Application with { AllowedHosts = hosts.ToFrozenSet(StringComparer.OrdinalIgnoreCase) };
        return delegation.CreateClient();
    }
}

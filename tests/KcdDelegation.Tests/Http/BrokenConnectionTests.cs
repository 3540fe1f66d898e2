using System.Net;
using System.Text;
using KcdDelegation.Tests.Headers;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests kept connections that close after the backend has read the request. .NET would send the same bytes again.</summary>
public sealed class BrokenConnectionTests
{
    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task An_idempotent_request_is_sent_again_with_a_new_token(string method)
    {
        await using var backend = new ClosingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        await client.GetStringAsAsync("ada");
        using var response =
            await client.SendAsync(FakeDelegation.As("ada", method: new HttpMethod(method)), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        backend.Seen.Select(seen => seen.Method).ShouldBe(["GET", method, method]);
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
    }

    [Theory]
    [InlineData("POST", false)]
    [InlineData("PATCH", false)]
    [InlineData("POST", true)]
    [InlineData("PUT", true)]
    public async Task A_request_that_is_not_idempotent_is_not_sent_again(string method, bool hasBody)
    {
        await using var backend = new ClosingBackend();
        using var client = new FakeDelegation(backend.Url).CreateClient();
        await client.GetStringAsAsync("ada");
        using var request = FakeDelegation.As("ada", method: new HttpMethod(method), content: hasBody ? new StringContent("body") : null);
        await Should.ThrowAsync<HttpRequestException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));

        backend.Seen.Select(seen => seen.Method).ShouldBe(["GET", method]);
        await client.GetStringAsAsync("ada");
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
    }

    [Fact]
    public async Task With_channel_binding_the_new_token_is_bound_as_well()
    {
        await using var certificates = await FakeBackend.StartTlsAsync();
        await using var backend = new ClosingBackend(certificate: certificates.Certificates[0]);
        using var client = new FakeDelegation(backend.Url).CreateClient();
        await client.GetStringAsAsync("ada");
        await client.GetStringAsAsync("ada");

        backend.Seen.Count.ShouldBe(3);
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
        backend.Seen.Select(seen => Convert.ToHexString(OpenedAuthorization.Open(seen.Authorization).BindingHash.Span)).Distinct()
            .ShouldHaveSingleItem().ShouldNotBe(new string('0', 32));
    }

    [Fact]
    public async Task Requests_succeed_although_the_backend_closes_each_connection_at_its_second_request()
    {
        await using var backend = new ClosingBackend(closing: int.MaxValue);
        using var client = new FakeDelegation(backend.Url).CreateClient();
        await client.GetStringAsAsync("ada");
        await client.GetStringAsAsync("ada");
        backend.Seen.Count.ShouldBe(3);
        backend.Seen.Select(seen => seen.Authorization).ShouldBeUnique();
    }

    [Fact]
    public async Task The_application_s_own_header_encodings_are_kept_except_for_the_ticket()
    {
        await using var backend = await FakeBackend.StartAsync();
        var asked = new List<string>();
        using var client = new FakeDelegation(backend.Url).CreateClient(() => new SocketsHttpHandler
        {
            RequestHeaderEncodingSelector = (name, _) =>
            {
                asked.Add(name);
                return Encoding.ASCII;
            },
        });
        using var request = FakeDelegation.As("ada", "/");
        request.Headers.Add("X-Own", "value");
        (await client.SendAsync(request, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        asked.ShouldBe(["X-Own"]);
    }
}

using System.Net;
using System.Net.Sockets;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Tests.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>Tests tickets that the backend no longer accepts, because its key has changed, and tickets that are evicted before their
/// use.</summary>
public sealed class StaleTicketTests
{
    [Fact]
    public async Task A_request_whose_cached_ticket_is_refused_is_sent_again_with_a_new_ticket()
    {
        var key = new ServiceKey();
        await using var backend = await FakeBackend.StartAsync(key.Accept);
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        Roll(key, delegation);

        using var response =
            await client.SendAsync(FakeDelegation.As("ada", content: new StringContent("body")), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.GetKcdRefusal().ShouldBeNull();
        backend.Seen.Select(seen => (seen.Ticket.KeyVersion, seen.Body)).ShouldBe([(1u, ""), (1u, "body"), (2u, "body")]);
        var record = delegation.Log.Records.ShouldHaveSingleItem();
        (record.Id, record.Level).ShouldBe((KcdEventId.RequestSentWithNewTicket, LogLevel.Information));
        record.Text.ShouldContain("401");
        record.Text.ShouldContain("aes256-cts-hmac-sha1-96, key version 1");
        record.Text.ShouldContain("aes256-cts-hmac-sha1-96, key version 2");
        record.Text.ShouldContain("sent again");
    }

    [Theory]
    [InlineData(typeof(StringContent))]
    [InlineData(typeof(ByteArrayContent))]
    [InlineData(typeof(ReadOnlyMemoryContent))]
    public async Task A_body_in_memory_is_sent_again_whatever_its_length(Type kind)
    {
        var key = new ServiceKey();
        await using var backend = await FakeBackend.StartAsync(key.Accept);
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        Roll(key, delegation);
        var bytes = new byte[100_000];
        Array.Fill(bytes, (byte)'x');
        using HttpContent content = kind == typeof(StringContent) ? new StringContent(new string('x', bytes.Length))
            : kind == typeof(ByteArrayContent) ? new ByteArrayContent(bytes) : new ReadOnlyMemoryContent(bytes);

        using var response = await client.SendAsync(FakeDelegation.As("ada", content: content), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        backend.Seen.Last().Body.ShouldBe(new string('x', bytes.Length));
    }

    [Fact]
    public async Task After_a_request_that_cannot_be_sent_again_the_next_one_has_the_new_ticket()
    {
        var key = new ServiceKey();
        await using var backend = await FakeBackend.StartAsync(key.Accept);
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        Roll(key, delegation);

        using var content = new OnceOnlyContent();
        using (var refused = await client.SendAsync(FakeDelegation.As("ada", content: content), TestContext.Current.CancellationToken))
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            refused.GetKcdRefusal().ShouldNotBeNull().Cause.ShouldContain("key version 1");
        }
        await client.GetStringAsAsync("ada");

        backend.Seen.Select(seen => seen.Ticket.KeyVersion).ShouldBe([1u, 1u, 2u]);
        delegation.Log.Records.Select(record => record.Id).ShouldBe([KcdEventId.TicketReplaced, KcdEventId.TicketRefused]);
        delegation.Log.Records[0].Text.ShouldContain("the user's next request");
    }

    [Fact]
    public async Task A_ticket_obtained_for_the_request_is_not_replaced()
    {
        await using var backend = await FakeBackend.StartAsync(context => Refuse(context, 401, "Negotiate"));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.GetKcdRefusal().ShouldNotBeNull();
        backend.Seen.Count.ShouldBe(1);
        delegation.Replacements.ShouldBe(0);
    }

    [Theory]
    [InlineData(KerberosErrorCode.BadKeyVersion, 2)]
    [InlineData(KerberosErrorCode.Modified, 2)]
    [InlineData(KerberosErrorCode.NoKey, 2)]
    [InlineData(KerberosErrorCode.TicketExpired, 2)]
    [InlineData(KerberosErrorCode.Skew, 1)]
    [InlineData(KerberosErrorCode.Repeat, 1)]
    public async Task A_KRB_ERROR_about_the_key_replaces_a_new_ticket_too(KerberosErrorCode code, int requests)
    {
        await using var backend = await FakeBackend.StartAsync(context => Refuse(context, 401, Error(code)));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.GetKcdRefusal().ShouldNotBeNull();
        backend.Seen.Count.ShouldBe(requests);
        delegation.Replacements.ShouldBe(requests - 1);
    }

    [Fact]
    public async Task A_backend_that_refuses_each_ticket_causes_one_replacement_and_one_further_request()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
            context.Request.Path == "/open" ? Task.CompletedTask : Refuse(context, 401, Error(KerberosErrorCode.BadKeyVersion)));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada", "/open");
        for (var round = 0; round < 5; round++)
        {
            using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);
            response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }

        backend.Seen.Count.ShouldBe(1 + 2 + 4);
        delegation.Log.Records.Count(record => record.Id == KcdEventId.RequestSentWithNewTicket).ShouldBe(1);
        delegation.Log.Records.Count(record => record.Id == KcdEventId.TicketReplacedBefore).ShouldBe(4);
        delegation.Log.Records.Count(record => record.Id == KcdEventId.TicketRefused).ShouldBe(5);
    }

    [Theory]
    [InlineData(TokenFormat.Kerberos, AuthenticationStart.Preemptive, 2)]
    [InlineData(TokenFormat.Kerberos, AuthenticationStart.OnChallenge, 3)]
    [InlineData(TokenFormat.Auto, AuthenticationStart.Preemptive, 3)]
    [InlineData(TokenFormat.Auto, AuthenticationStart.OnChallenge, 4)]
    public async Task A_backend_cannot_make_the_handler_send_a_request_more_often(TokenFormat format, AuthenticationStart start, int limit)
    {
        await using var backend = await FakeBackend.StartAsync(context =>
            context.Request.Path == "/open" ? Task.CompletedTask : Refuse(context, 401, "Negotiate"));
        var delegation = new FakeDelegation(backend.Url);
        delegation.Application = delegation.Application with { TokenFormat = format, Start = start };
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada", "/open");
        backend.Seen.Clear();
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        backend.Seen.Count.ShouldBe(limit);
        delegation.Replacements.ShouldBe(1);
    }

    [Fact]
    public async Task Without_a_new_ticket_the_refusal_is_returned_and_the_log_has_the_reason()
    {
        var key = new ServiceKey();
        await using var backend = await FakeBackend.StartAsync(key.Accept);
        var delegation = new FakeDelegation(backend.Url)
        {
            ReplacementError = new DelegationFailure(KcdStage.Delegation, KcdEventId.NoTicket, "No KDC answers.", "None.").ToException(),
        };
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        Roll(key, delegation);
        using var response = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.GetKcdRefusal().ShouldNotBeNull().EventId.ShouldBe(KcdEventId.TicketRefused);
        delegation.Log.Records.Select(record => record.Id).ShouldBe([KcdEventId.TicketNotReplaced, KcdEventId.TicketRefused]);
        delegation.Log.Records[0].Text.ShouldContain("No KDC answers.");
    }

    [Fact]
    public async Task A_new_ticket_that_names_another_user_is_not_sent_on_the_connections_of_the_first()
    {
        var key = new ServiceKey();
        await using var backend = await FakeBackend.StartAsync(key.Accept);
        var delegation = new FakeDelegation(backend.Url) { ReplacedUser = "renamed" };
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        Roll(key, delegation);
        using (var refused = await client.SendAsync(FakeDelegation.As("ada"), TestContext.Current.CancellationToken))
            refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        await client.GetStringAsAsync("ada");

        backend.Seen.Select(seen => seen.Ticket.User).ShouldBe(["ada", "ada", "renamed"]);
        backend.Seen.Last().Connection.ShouldNotBe(backend.Seen.First().Connection);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    public async Task A_request_that_may_have_been_carried_out_is_not_sent_again(int status)
    {
        await using var backend = await FakeBackend.StartAsync(context =>
            context.Request.Path == "/open" ? Task.CompletedTask : Refuse(context, status, "Negotiate"));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada", "/open");
        using var response = await client.SendAsync(
            FakeDelegation.As("ada", content: new StringContent("body")), TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        backend.Seen.Count.ShouldBe(2);
        delegation.Log.Records.ShouldContain(record => record.Id == KcdEventId.TicketReplaced);
    }

    [Fact]
    public async Task All_requests_of_a_user_continue_while_their_ticket_is_replaced()
    {
        var key = new ServiceKey();
        await using var backend = await FakeBackend.StartAsync(key.Accept);
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        await client.GetStringAsAsync("ada");
        Roll(key, delegation);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.GetStringAsAsync("ada")));

        delegation.Log.Records.ShouldAllBe(record => record.Id == KcdEventId.RequestSentWithNewTicket);
    }

    /// <summary>nginx with its SPNEGO module answers 403 without a challenge to a ticket that it cannot decrypt.</summary>
    [Fact]
    public async Task Where_the_service_s_key_has_changed_a_403_without_a_challenge_replaces_the_ticket()
    {
        var key = new ServiceKey { Status = 403, Challenge = "" };
        await using var backend = await FakeBackend.StartAsync(key.Accept);
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        foreach (var user in (string[])["ada", "bob", "eve"])
            await client.GetStringAsAsync(user);
        Roll(key, delegation);

        foreach (var user in (string[])["ada", "bob", "eve"])
            (await client.GetStringAsAsync(user)).ShouldBe("hello");

        delegation.Log.Records.Count(record => record.Id == KcdEventId.RequestSentWithNewTicket).ShouldBe(3);
    }

    [Fact]
    public async Task A_403_of_the_application_is_returned_and_causes_one_new_ticket_a_minute_for_all_users()
    {
        await using var backend = await FakeBackend.StartAsync(context =>
            context.Request.Path == "/open" ? Task.CompletedTask : Refuse(context, 403, ""));
        var delegation = new FakeDelegation(backend.Url);
        using var client = delegation.CreateClient();
        foreach (var user in (string[])["ada", "bob", "eve"])
            await client.GetStringAsAsync(user, "/open");
        backend.Seen.Clear();
        foreach (var user in (string[])["ada", "bob", "eve"])
        {
            using var response = await client.SendAsync(FakeDelegation.As(user), TestContext.Current.CancellationToken);
            response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            response.GetKcdRefusal().ShouldBeNull();
        }

        backend.Seen.Count.ShouldBe(3, "with the same key the request is not sent again");
        delegation.Replacements.ShouldBe(1);
        delegation.Log.Records.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(AuthenticationStart.Preemptive, false)]
    [InlineData(AuthenticationStart.OnChallenge, false)]
    [InlineData(AuthenticationStart.Preemptive, true)]
    [InlineData(AuthenticationStart.OnChallenge, true)]
    public async Task A_ticket_that_was_evicted_before_its_use_is_requested_again(AuthenticationStart start, bool tls)
    {
        RequestDelegate answer = context =>
            context.Request.Headers.ContainsKey("Authorization") ? Task.CompletedTask : Refuse(context, 401, "Negotiate");
        await using var backend = await (tls ? FakeBackend.StartTlsAsync(answer) : FakeBackend.StartAsync(answer));
        var delegation = new FakeDelegation(backend.Url) { Evictions = 1 };
        delegation.Application = delegation.Application with { Start = start };
        using var client = delegation.CreateClient();
        using var response = await client.SendAsync(
            FakeDelegation.As("ada", content: new StringContent("body")), TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        delegation.TicketsAsked.ShouldBe(2);
        backend.Seen.Last().Body.ShouldBe("body");
    }

    [Fact]
    public async Task A_ticket_that_is_evicted_while_a_connection_is_opened_is_requested_again()
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(backend.Url);
        var connections = 0;
        using var client = delegation.CreateClient(() => new SocketsHttpHandler
        {
            // Each request opens a connection.
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = async (context, cancellation) =>
            {
                // The template of the ticket is kept from its second use on.
                if (Interlocked.Increment(ref connections) == 3)
                    delegation.Evict("ada");
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        for (var call = 0; call < 3; call++)
            (await client.GetStringAsAsync("ada")).ShouldBe("hello");

        delegation.TicketsAsked.ShouldBe(4);
        backend.Seen.Count.ShouldBe(3);
        connections.ShouldBe(4);
    }

    [Fact]
    public async Task Tickets_that_are_always_evicted_before_their_use_are_requested_a_few_times_only()
    {
        await using var backend = await FakeBackend.StartAsync();
        var delegation = new FakeDelegation(backend.Url) { Evictions = int.MaxValue };
        using var client = delegation.CreateClient();

        var error = await Should.ThrowAsync<KcdException>(() => client.GetStringAsAsync("ada"));

        (error.EventId, error.IsTransient).ShouldBe((KcdEventId.NoTicket, true));
        delegation.TicketsAsked.ShouldBe(4);
        backend.Seen.ShouldBeEmpty();
    }

    private static void Roll(ServiceKey key, FakeDelegation delegation) => (key.Version, delegation.KeyVersion) = (2, 2);

    private static Task Refuse(HttpContext context, int status, string challenge)
    {
        context.Response.StatusCode = status;
        if (challenge.Length > 0)
            context.Response.Headers.WWWAuthenticate = challenge;
        return Task.CompletedTask;
    }

    private static string Error(KerberosErrorCode code) => "Negotiate " + Convert.ToBase64String(
        GssKerberosToken.Wrap(GssKerberosToken.ErrorToken, new KrbError
        {
            ServerTime = TimeProvider.System.GetUtcNow(),
            Code = code,
            Realm = "CONTOSO.COM",
            Service = PrincipalName.From(FakeTickets.Service),
        }.Encode()));

    /// <summary>The key of a backend that accepts tickets of one version only.</summary>
    private sealed class ServiceKey
    {
        public uint Version { get; set; } = 1;

        public int Status { get; init; } = 401;

        public string Challenge { get; init; } = "Negotiate";

        public Task Accept(HttpContext context) =>
            OpenedAuthorization.Open(context.Request.Headers.Authorization.ToString()).KeyVersion == Version
                ? context.Response.WriteAsync("hello")
                : Refuse(context, Status, Challenge);
    }
}

/// <summary>A body of unknown length that can be written once.</summary>
internal sealed class OnceOnlyContent : HttpContent
{
    private bool _sent;

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        _sent.ShouldBeFalse("a body that is not kept is sent once");
        _sent = true;
        await stream.WriteAsync("body"u8.ToArray());
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

using KcdDelegation.Kerberos;
using static KcdDelegation.Testing.Tests.TokenMaker;

namespace KcdDelegation.Testing.Tests;

public sealed class TestAcceptorTests
{
    private static readonly byte[] Channel = [.. "tls-server-end-point:"u8, 1, 2, 3];

    private static TestRealm Start() =>
        TestRealm.Start().User("ada", userPrincipalName: "ada@corp.example", sid: "S-1-5-21-1-2-3-1104")
            .Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").Service("HTTP/other");

    [Fact]
    public async Task A_delegated_ticket_authenticates_the_user_with_the_contents_of_the_PAC()
    {
        await using var realm = Start();
        var ticket = await realm.GetTicketAsync("gw", "ada", "HTTP/app", TestContext.Current.CancellationToken);
        var identity = new TestAcceptor(realm, "HTTP/app").Accept(Header(CreateToken(ticket)));
        identity.User.ToString().ShouldBe("ada@CONTOSO.TEST");
        identity.SamAccountName.ShouldBe("ada");
        identity.UserPrincipalName.ShouldBe("ada@corp.example");
        identity.Sid.ShouldBe("S-1-5-21-1-2-3-1104");
        identity.Format.ShouldBe(TestTokenFormats.Kerberos);
        identity.Reply.ShouldBeNull();
    }

    [Theory]
    [InlineData("1.2.840.113554.1.2.2")]
    [InlineData("1.2.840.48018.1.2.2")]
    public async Task SPNEGO_is_answered_in_SPNEGO(string mechanism)
    {
        await using var realm = Start();
        var identity = new TestAcceptor(realm, "HTTP/app")
            .Accept(Header(CreateSpnego(CreateToken(realm.IssueTicket("ada", "HTTP/app")), mechanism)));
        identity.Format.ShouldBe(TestTokenFormats.Spnego);
        Convert.FromBase64String(identity.Reply!.Split(' ')[1])[0].ShouldBe((byte)0xA1);
    }

    [Theory]
    [InlineData(TestTokenFormats.Kerberos)]
    [InlineData(TestTokenFormats.Spnego)]
    public async Task An_acceptor_can_accept_one_framing_only(TestTokenFormats formats)
    {
        await using var realm = Start();
        var acceptor = new TestAcceptor(realm, "HTTP/app", new TestAcceptorOptions { Formats = formats });
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        var (bare, framed) = (Header(CreateToken(ticket)), Header(CreateSpnego(CreateToken(ticket))));
        acceptor.Accept(formats == TestTokenFormats.Kerberos ? bare : framed).User.Name.ShouldBe("ada");
        Should.Throw<KerberosException>(() =>
            acceptor.Accept(formats == TestTokenFormats.Kerberos ? framed : bare)).Reason.ShouldBe(KerberosFailureReason.TokenRejected);
    }

    [Fact]
    public async Task The_client_verifies_the_AP_REP_of_the_service()
    {
        await using var realm = Start();
        var template = realm.IssueTicket("ada", "HTTP/app").CreateApRequest(new ApRequestOptions(MutualAuthentication: true));
        Reply(TestMutualReply.Proof, out var state).ShouldSatisfyAllConditions(token => state.VerifyReply(template, token));
        var forged = Reply(TestMutualReply.Forged, out var second);
        Should.Throw<KerberosException>(() => second.VerifyReply(template, forged));
        var stale = Reply(TestMutualReply.Stale, out var third);
        Should.Throw<KerberosException>(() => third.VerifyReply(template, stale));
        new TestAcceptor(realm, "HTTP/app", new TestAcceptorOptions { MutualReply = TestMutualReply.None })
            .Accept(Header(CreateToken(template, out _))).Reply.ShouldBeNull();

        byte[] Reply(TestMutualReply manner, out ApRequestState made)
        {
            var acceptor = new TestAcceptor(realm, "HTTP/app", new TestAcceptorOptions { MutualReply = manner });
            return Convert.FromBase64String(acceptor.Accept(Header(CreateToken(template, out made))).Reply!.Split(' ')[1]);
        }
    }

    [Fact]
    public async Task An_AP_REP_after_the_client_was_disposed_is_refused_with_that_reason()
    {
        await using var realm = Start();
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        var template = ticket.CreateApRequest(new ApRequestOptions(MutualAuthentication: true));
        var proof = new TestAcceptor(realm, "HTTP/app").Accept(Header(CreateToken(template, out var state))).Reply!;
        ticket.Issued.Dispose();
        Should.Throw<KerberosException>(() => state.VerifyReply(template, Convert.FromBase64String(proof.Split(' ')[1])))
            .ShouldSatisfyAllConditions(error => error.Detail.ShouldContain("disposed"), error => error.IsTransient.ShouldBeTrue());
    }

    [Fact]
    public async Task A_token_is_accepted_once()
    {
        await using var realm = Start();
        var acceptor = new TestAcceptor(realm, "HTTP/app");
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        var header = Header(CreateToken(ticket));
        acceptor.Accept(header).User.Name.ShouldBe("ada");
        Should.Throw<KerberosException>(() => acceptor.Accept(header)).Code.ShouldBe(KerberosErrorCode.Repeat);
        acceptor.Accept(Header(CreateToken(ticket))).User.Name.ShouldBe("ada");
    }

    [Fact]
    public async Task A_token_for_another_service_is_refused()
    {
        await using var realm = Start();
        var header = Header(CreateToken(realm.IssueTicket("ada", "HTTP/other")));
        Should.Throw<KerberosException>(() => new TestAcceptor(realm, "HTTP/app").Accept(header)).Code.ShouldBe(KerberosErrorCode.NotUs);
    }

    [Fact]
    public async Task Changed_bits_and_wrong_clocks_are_refused()
    {
        await using var realm = Start();
        var acceptor = new TestAcceptor(realm, "HTTP/app");
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        var changed = CreateToken(ticket);
        changed[^1] ^= 1;
        Should.Throw<KerberosException>(() => acceptor.Accept(Header(changed)));
        var late = Header(CreateToken(ticket));
        realm.ClockAhead(TimeSpan.FromMinutes(6));
        Should.Throw<KerberosException>(() => acceptor.Accept(late)).Code.ShouldBe(KerberosErrorCode.Skew);
        realm.ClockAhead(TimeSpan.FromHours(11));
        Should.Throw<KerberosException>(() => acceptor.Accept(late)).Code.ShouldBe(KerberosErrorCode.TicketExpired);
    }

    [Fact]
    public async Task Tickets_under_old_keys_are_accepted_and_under_unknown_keys_refused()
    {
        await using var realm = Start();
        var old = realm.IssueTicket("ada", "HTTP/app");
        realm.RollKeys("HTTP/app");
        new TestAcceptor(realm, "HTTP/app").Accept(Header(CreateToken(old))).User.Name.ShouldBe("ada");
        await using var other = Start();
        for (var i = 0; i < 3; i++)
            other.RollKeys("HTTP/app");
        var foreign = Header(CreateToken(other.IssueTicket("ada", "HTTP/app")));
        Should.Throw<KerberosException>(() =>
            new TestAcceptor(realm, "HTTP/app").Accept(foreign)).Code.ShouldBe(KerberosErrorCode.BadKeyVersion);
    }

    [Fact]
    public async Task Channel_binding_is_checked_where_it_was_sent_and_where_it_is_required()
    {
        await using var realm = Start();
        var relaxed = new TestAcceptor(realm, "HTTP/app");
        var strict = new TestAcceptor(realm, "HTTP/app", new TestAcceptorOptions { ChannelBinding = TestChannelBinding.Required });
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        var bound = new ApRequestOptions(ChannelBinding: Channel);
        var elsewhere = new ApRequestOptions(ChannelBinding: "tls-server-end-point:another"u8.ToArray());

        relaxed.Accept(Header(CreateToken(ticket, bound)), Channel).IsChannelBound.ShouldBeTrue();
        strict.Accept(Header(CreateToken(ticket, bound)), Channel).IsChannelBound.ShouldBeTrue();
        relaxed.Accept(Header(CreateToken(ticket)), Channel).IsChannelBound.ShouldBeFalse();
        relaxed.Accept(Header(CreateToken(ticket, bound))).IsChannelBound.ShouldBeFalse();
        Should.Throw<KerberosException>(() =>
            strict.Accept(Header(CreateToken(ticket)), Channel)).Code.ShouldBe(KerberosErrorCode.BadMatch);
        Should.Throw<KerberosException>(() =>
            relaxed.Accept(Header(CreateToken(ticket, elsewhere)), Channel)).Code.ShouldBe(KerberosErrorCode.BadMatch);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Negotiate")]
    [InlineData("Negotiate *")]
    [InlineData("Basic YWRhOmFkYQ==")]
    [InlineData("Negotiate TlRMTVNTUAABAAAA")]
    [InlineData("Negotiate YAA=")]
    public async Task A_value_that_is_no_token_is_refused(string header)
    {
        await using var realm = Start();
        Should.Throw<KerberosException>(() =>
            new TestAcceptor(realm, "HTTP/app").Accept(header)).Exchange.ShouldBe(KerberosExchange.Accept);
    }

    [Fact]
    public async Task A_change_of_any_byte_of_a_token_is_refused()
    {
        await using var realm = Start();
        var acceptor = new TestAcceptor(realm, "HTTP/app");
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        for (var length = 0; length < CreateToken(ticket).Length; length++)
            Should.Throw<KerberosException>(() => acceptor.Accept(Header(CreateToken(ticket)[..length])));
    }
}
